import { z } from 'zod';
import { hasErrors, renderDiagnostic } from '../../schemas/diagnostic.ts';
import { InvalidParameterError } from '../invalid-parameter.ts';
import { parseParameters } from '../parse-parameters.ts';
import { CONTENT_TYPES } from '../../schemas/endpoint/validation-file.ts';
import { ENV_MANAGERS, predictWithModel } from './predict-with-model.ts';
import { serializeInput } from './serialize-input.ts';

/** The parameters of `mlflow.models.predict`, and a few of Davit's. */
export interface PredictParameters {
  /** A directory with MLmodel, or a URI: `models:/iris/2`, `runs:/RUN/model`, `s3://…`. */
  readonly model_uri: string;
  /** What `inputs` of a request has, or a whole request; with `csv`, the table. */
  readonly input_data?: unknown;
  /** A file with a request or a table, instead of `input_data`. */
  readonly input_path?: string | undefined;
  /** Default: `csv` for a path that ends with `.csv`, else `json`. */
  readonly content_type?: 'json' | 'csv' | undefined;
  /** A file for the answer, as JSON. */
  readonly output_path?: string | undefined;
  /** `virtualenv` (default) and `uv` are Davit's locked virtualenv; `local` installs nothing; `conda` is refused. */
  readonly env_manager?: 'virtualenv' | 'uv' | 'conda' | 'local' | undefined;
  /** Install the MLflow that Davit was tested with in place of the model's. */
  readonly install_mlflow?: boolean | undefined;
  /** Requirements that replace or extend those of the model. */
  readonly pip_requirements_override?: readonly string[] | undefined;
  /** Environment variables of the model. It gets none of this process. */
  readonly extra_envs?: Readonly<Record<string, string>> | undefined;
  /**
   * Services that the model may reach in the sandbox: `["api.example.com:443"]`. Default: none. Without a sandbox it has the
   * whole network of this machine.
   */
  readonly network?: readonly string[] | undefined;
  /** Run the model with the rights of this process. */
  readonly without_sandbox?: boolean | undefined;
  /** The base of relative paths; default: the current folder. */
  readonly cwd?: string | undefined;
  /** Receives the progress, and what the model prints. */
  readonly on_progress?: ((line: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

const VARIABLE_VALUE = z.string().refine((value) => !value.includes('\0'), 'expected a text without NUL');

const PARAMETERS = z.strictObject({
  model_uri: z.string().trim().min(1, 'expected a directory with MLmodel, or a URI'),
  input_data: z.unknown().optional(),
  input_path: z.string().min(1, 'expected the path of a file').optional(),
  content_type: z.enum(CONTENT_TYPES).optional(),
  output_path: z.string().min(1, 'expected the path of a file').optional(),
  env_manager: z.enum(ENV_MANAGERS).optional(),
  install_mlflow: z.boolean().optional(),
  pip_requirements_override: z.array(z.string()).optional(),
  extra_envs: z
    .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected letters, digits and "_"'), VARIABLE_VALUE)
    .optional(),
  network: z.array(z.string()).optional(),
  without_sandbox: z.boolean().optional(),
  cwd: z.string().optional(),
  on_progress: z.custom<(line: string) => void>((value) => typeof value === 'function').optional(),
  signal: z.instanceof(AbortSignal).optional(),
});

/** How the model used a service that it could reach. */
export interface ServiceUse {
  readonly host: string;
  readonly port: number;
  readonly connections: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** Why this machine could not connect, the last time: `ECONNREFUSED`. Undefined: every connection was made. */
  readonly failure: string | undefined;
}

/** A problem of the model or of the input. */
export interface PredictionDiagnostic {
  readonly code: string;
  readonly severity: 'error' | 'warning';
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
  readonly hint?: string;
}

export interface Prediction {
  /** The answer of MLflow's scoring protocol as JSON. Large integers are exact only here. */
  readonly answer: string;
  /** The same as a value, without the key `predictions` around it. */
  readonly predictions: unknown;
  /** The version of the Python that ran the model. */
  readonly python: string;
  /** The version of MLflow that loaded the model. */
  readonly mlflow: string;
  /** How many numbers of the answer are null because they are not JSON: `{ NaN: 2 }`. */
  readonly replaced: Readonly<Partial<Record<'NaN' | 'Infinity' | '-Infinity', number>>>;
  /** Each service of the parameter `network`. Empty without a sandbox, which alone knows it. */
  readonly network: readonly ServiceUse[];
  /** Warnings. */
  readonly diagnostics: readonly PredictionDiagnostic[];
}

/** The model or the input is wrong. */
export class PredictionError extends Error {
  readonly diagnostics: readonly PredictionDiagnostic[];

  constructor(message: string, diagnostics: readonly PredictionDiagnostic[]) {
    super(message);
    this.name = 'PredictionError';
    this.diagnostics = diagnostics;
  }
}

/**
 * Predicts with an MLflow model as `mlflow.models.predict` does, in the locked virtualenv of the model and in a sandbox.
 * Throws a PredictionError if the model or the input is wrong, and another Error for a wrong parameter or an outage.
 */
export async function predict(parameters: PredictParameters): Promise<Prediction> {
  const given = parseParameters(parameters, PARAMETERS);
  const { content_type: contentType, env_manager: envManager = 'virtualenv' } = given;
  const { answer, python, mlflow, replaced, network, diagnostics } = await predictWithModel({
    model: given.model_uri,
    cwd: given.cwd ?? process.cwd(),
    input: readInput(given),
    ...{ contentType, envManager, outputPath: given.output_path },
    installMlflow: given.install_mlflow ?? false,
    requirements: given.pip_requirements_override ?? [],
    environmentVars: given.extra_envs ?? {},
    network: given.network ?? [],
    withoutSandbox: given.without_sandbox,
    progress: { say: (line) => given.on_progress?.(line) },
    signal: given.signal,
  });
  if (answer === undefined || hasErrors(diagnostics))
    throw new PredictionError(
      diagnostics
        .filter((d) => d.severity === 'error')
        .map(renderDiagnostic)
        .join('\n'),
      diagnostics,
    );
  const versions = { python: python ?? '', mlflow: mlflow ?? '' };
  return { answer, predictions: readPredictions(answer), ...versions, replaced, network, diagnostics };
}

function readInput(parameters: z.output<typeof PARAMETERS>) {
  const { input_data: data, input_path: path, content_type: contentType = 'json', on_progress: say } = parameters;
  if (data !== undefined && path !== undefined)
    throw new InvalidParameterError('Cannot predict both input_data and input_path: expected one of them');
  if (path !== undefined) return { path };
  if (data === undefined)
    throw new InvalidParameterError('Cannot predict without input: expected input_data or input_path');
  return { text: serializeInput(data, contentType, (line) => say?.(line)) };
}

/** An agent or chat model answers without the key. */
function readPredictions(answer: string): unknown {
  const value: unknown = JSON.parse(answer);
  const isWrapped = value !== null && typeof value === 'object' && Object.keys(value).join() === 'predictions';
  return isWrapped ? (value as { readonly predictions: unknown }).predictions : value;
}
