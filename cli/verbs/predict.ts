import { buffer } from 'node:stream/consumers';
import { InvalidParameterError } from '../../app/invalid-parameter.ts';
import { splitRequirements } from '../../app/predict/parse-overrides.ts';
import { ENV_MANAGERS, type PredictionRequest, predictWithModel } from '../../app/predict/predict-with-model.ts';
import { serializeInput } from '../../app/predict/serialize-input.ts';
import { CONTENT_TYPES, type ContentType } from '../../schemas/endpoint/validation-file.ts';
import { type Command, type Context, type Options, type Outcome, SANDBOX_OPTION, UsageError } from '../command.ts';
import { oneOf, textOption } from '../parse-arguments.ts';
import { readSandboxOption } from '../request.ts';

export const predict: Command = {
  summary: 'Predict with a model, as mlflow models predict does',
  usage: '',
  help: [
    'Prints the answer as JSON. Needs no endpoint, and no Python or MLflow of yours. Without input, it reads standard input.',
    '',
    '  davit predict -m models:/iris/2 -i rows.csv',
    `  davit predict -m path/to/model --input-data '{"col1": 34.2}' -r 'pillow==10.3.0,scipy==1.13.0'`,
    '  davit predict -m path/to/model -o answer.json < request.json',
    '  davit predict -m path/to/model -i rows.csv --network api.example.com:443     a model that calls a service',
  ].join('\n'),
  options: {
    'model-uri': { type: 'string', short: 'm', value: 'PATH|URI', help: 'The MLflow model' },
    model: { type: 'string', value: 'PATH|URI', help: 'The same, as in davit validate and davit serve' },
    'input-path': { type: 'string', short: 'i', value: 'FILE', help: 'A request or a table' },
    'input-data': {
      type: 'string',
      value: 'JSON',
      help: 'What inputs of a request has, or a whole request; with -t csv, the text of the table',
    },
    'content-type': {
      type: 'string',
      short: 't',
      value: 'TYPE',
      help: 'json or csv; default: csv for a file that ends with .csv, else json',
    },
    'output-path': { type: 'string', short: 'o', value: 'FILE', help: 'Write the answer here instead of printing it' },
    'env-manager': {
      type: 'string',
      value: 'NAME',
      help: 'virtualenv (default) or uv: the locked virtualenv of the model; local: the Python of this shell; conda is refused',
    },
    'install-mlflow': { type: 'boolean', help: "Install the MLflow of Davit's tests in place of the model's" },
    'pip-requirements-override': {
      type: 'string',
      short: 'r',
      multiple: true,
      value: 'LIST',
      help: 'Requirements that replace or extend those of the model, separated by commas',
    },
    'extra-env': {
      type: 'string',
      multiple: true,
      value: 'NAME=VALUE',
      help: 'An environment variable of the model, which gets none of yours',
    },
    network: {
      type: 'string',
      multiple: true,
      value: 'HOST:PORT',
      help: 'A service that the model may reach in the sandbox; may be given several times; default: none',
    },
    ...SANDBOX_OPTION,
  },
  args: { min: 0, max: 0 },
  fillsCache: true,
  readsPolicy: true,
  run: runPredict,
};

async function runPredict(context: Context): Promise<Outcome> {
  const { options, cwd, progress, signal } = context;
  const outputPath = textOption(options, 'output-path');
  const request: PredictionRequest = {
    model: readModel(options),
    ...{ cwd, outputPath, progress, signal },
    contentType: oneOf(options, 'content-type', CONTENT_TYPES),
    envManager: oneOf(options, 'env-manager', ENV_MANAGERS) ?? 'virtualenv',
    installMlflow: options['install-mlflow'] === true,
    requirements: listOption(options, 'pip-requirements-override').flatMap(splitRequirements),
    environmentVars: Object.fromEntries(listOption(options, 'extra-env').map(parseVariable)),
    network: listOption(options, 'network'),
    withoutSandbox: readSandboxOption(options),
    input: await readInput(options),
  };
  const predicted = await predictWithModel(request).catch((e: unknown) => {
    throw e instanceof InvalidParameterError ? new UsageError(e.message, { cause: e }) : e;
  });
  const { answer, python, mlflow, replaced, network, diagnostics } = predicted;
  return {
    diagnostics,
    result: {
      model: request.model,
      answer: answer ?? null,
      output_path: answer === undefined ? null : (outputPath ?? null),
      python: python ?? null,
      mlflow: mlflow ?? null,
      replaced,
      network,
    },
    text: outputPath === undefined ? (answer ?? '') : '',
    failed: answer === undefined,
  };
}

function readModel(options: Options): string {
  const [model, other] = [textOption(options, 'model-uri'), textOption(options, 'model')];
  if (model !== undefined && other !== undefined)
    throw new UsageError('Cannot predict with two models: expected either -m or --model');
  const named = model ?? other;
  if (named === undefined) throw new UsageError('Cannot predict without a model: expected -m PATH or URI');
  return named;
}

const EXPECTED_INPUT = 'expected -i FILE, --input-data JSON or a request on standard input';

async function readInput(options: Options): Promise<PredictionRequest['input']> {
  const [path, data] = [textOption(options, 'input-path'), textOption(options, 'input-data')];
  if (path !== undefined && data !== undefined)
    throw new UsageError('Cannot predict both --input-path and --input-data: expected one of them');
  if (path !== undefined) return { path };
  if (data !== undefined) return { text: serializeInputData(data, oneOf(options, 'content-type', CONTENT_TYPES)) };
  if (process.stdin.isTTY) throw new UsageError(`Cannot predict without input: ${EXPECTED_INPUT}`);
  const text = await buffer(process.stdin);
  if (text.length === 0) throw new UsageError(`Cannot predict: standard input is empty, ${EXPECTED_INPUT}`);
  return { text };
}

function serializeInputData(data: string, contentType: ContentType = 'json'): string {
  if (contentType === 'csv') return data;
  try {
    return serializeInput(JSON.parse(data), contentType);
  } catch (e) {
    if (!(e instanceof SyntaxError)) throw e;
    throw new UsageError(
      `Cannot use --input-data: it is not JSON (${e.message}), expected '{"column": 1.5}', for example`,
      { cause: e },
    );
  }
}

function listOption(options: Options, name: string): readonly string[] {
  const value = options[name];
  return Array.isArray(value) ? (value as readonly string[]) : [];
}

function parseVariable(text: string): readonly [name: string, value: string] {
  const [, name = '', value = ''] = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/s.exec(text) ?? [];
  if (name === '') throw new UsageError(`Cannot use "${text}" for --extra-env: expected NAME=VALUE`);
  return [name, value];
}
