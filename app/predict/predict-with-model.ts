import { access, copyFile, rm, stat, writeFile } from 'node:fs/promises';
import { constants } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { isUnreachable, renderNetworkUse } from '../../schemas/lock/proof.ts';
import { type ContentType, networkAddresses } from '../../schemas/endpoint/validation-file.ts';
import {
  type NetworkAddress,
  normalizeNetworkAddress,
  parseNetworkAddress,
} from '../../schemas/values/network-address.ts';
import { sanitizeText } from '../../schemas/values/sanitize-text.ts';
import type { Progress } from '../../system/progress.ts';
import { makeTemporaryFolder } from '../../system/temporary-folder.ts';
import { type ModelPrediction, predictModel } from '../../validation/prediction/predict-model.ts';
import { InvalidParameterError } from '../invalid-parameter.ts';
import { listAddedRequirements } from './parse-overrides.ts';
import { READ_ERRORS, readErrorCode } from '../../schemas/read-project.ts';
import { readErrorMessage } from '../../schemas/values/read-error-message.ts';

export const ENV_MANAGERS = ['virtualenv', 'uv', 'conda', 'local'] as const;

/** One prediction with a model that no endpoint has to name. */
export interface PredictionRequest {
  /** A path, relative to `cwd`, or a URI. */
  readonly model: string;
  readonly cwd: string;
  /** The body of a request or a table: its text, or a file. */
  readonly input: { readonly text: string | Buffer } | { readonly path: string };
  /** Default: `csv` for a path that ends with `.csv`, else `json`. */
  readonly contentType?: ContentType | undefined;
  /** The file for the answer. */
  readonly outputPath?: string | undefined;
  readonly envManager: (typeof ENV_MANAGERS)[number];
  readonly installMlflow: boolean;
  readonly requirements: readonly string[];
  readonly environmentVars: Readonly<Record<string, string>>;
  /** The services that the model may reach in the sandbox: `api.example.com:443`. */
  readonly network: readonly string[];
  readonly withoutSandbox?: boolean | undefined;
  readonly progress: Progress;
  readonly signal?: AbortSignal | undefined;
}

/** Predicts as `mlflow.models.predict` does. Throws an InvalidParameterError before it installs anything. */
export async function predictWithModel(request: PredictionRequest): Promise<ModelPrediction> {
  const { cwd, outputPath, envManager, input, environmentVars, withoutSandbox, progress, signal } = request;
  refuseCombinations(request);
  const services = parseServices(request.network);
  if (outputPath !== undefined) await requireWritable(resolve(cwd, outputPath));
  const addedRequirements = await listAddedRequirements(request.requirements, request.installMlflow);
  const { contentType = 'path' in input && /\.csv$/i.test(input.path) ? 'csv' : 'json' } = request;
  const folder = makeTemporaryFolder('prediction');
  try {
    const file = join(folder, `input.${contentType}`);
    await placeInput(input, file, cwd);
    const prediction = await predictModel(
      request.model,
      { file, contentType },
      {
        ...{ cwd, addedRequirements, environmentVars, services, withoutSandbox, progress, signal },
        isLocal: envManager === 'local',
      },
    );
    for (const line of sanitizeText(prediction.output).trimEnd().split('\n')) if (line !== '') progress.say(line);
    for (const use of prediction.network)
      progress.say(`The model could ${isUnreachable(use) ? 'not reach' : 'reach'} ${renderNetworkUse(use)}`);
    const replaced = Object.entries(prediction.replaced).map(([name, count]) => `${count} × ${name}`);
    if (replaced.length > 0)
      progress.say(`Wrote null in the answer for ${replaced.join(', ')}: JSON has no such numbers`);
    if (outputPath !== undefined && prediction.answer !== undefined)
      await writeAnswer(resolve(cwd, outputPath), prediction.answer);
    return prediction;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const CONDA =
  'Cannot predict in a conda environment: Davit serves models from virtualenvs, so it would prove something else. Use virtualenv, which installs the pip packages of the model; give those that only conda has as pip_requirements_override';

function refuseCombinations({ envManager, installMlflow, requirements }: PredictionRequest): void {
  if (envManager === 'conda') throw new InvalidParameterError(CONDA);
  if (envManager !== 'local' || (requirements.length === 0 && !installMlflow)) return;
  const what = requirements.length > 0 ? 'pip_requirements_override' : 'install_mlflow';
  throw new InvalidParameterError(
    `Cannot use ${what} with the local Python: nothing is installed there, expected env_manager virtualenv`,
  );
}

/** Whoever predicts allows the services: also those of this machine. A service may be named several times. */
function parseServices(texts: readonly string[]): readonly NetworkAddress[] {
  const different = [...new Map(texts.map((text) => [normalizeNetworkAddress(text), text])).values()];
  const { data = [], error } = networkAddresses.safeParse(different);
  const [issue] = error?.issues ?? [];
  if (!issue) return data.flatMap((text) => parseNetworkAddress(text) ?? []);
  const wrong = different[Number(issue.path[0])];
  const what = wrong === undefined ? `${different.length} services` : JSON.stringify(wrong);
  throw new InvalidParameterError(`Cannot let the model reach ${what}: ${issue.message}`);
}

/** Before the model runs, because a prediction can take an hour. */
async function requireWritable(file: string): Promise<void> {
  const [folder, there] = await Promise.all([dirname(file), file].map((path) => stat(path).catch(() => undefined)));
  if (!folder?.isDirectory())
    throw new InvalidParameterError(`Cannot write ${file}: there is no folder ${dirname(file)}, expected one`);
  if (there?.isDirectory()) throw new InvalidParameterError(`Cannot write ${file}: it is a folder, expected a file`);
  const isWritable = await access(there ? file : dirname(file), constants.W_OK).then(
    () => true,
    () => false,
  );
  if (!isWritable) throw new InvalidParameterError(`Cannot write ${file}: you do not have permission`);
}

async function writeAnswer(file: string, answer: string): Promise<void> {
  try {
    await writeFile(file, answer);
  } catch (e) {
    throw new Error(`Cannot write the answer to ${file}: ${readErrorCode(e) ?? readErrorMessage(e)}`, { cause: e });
  }
}

/** Copies the input to a folder of its own, because the model can read the folder. */
async function placeInput(input: PredictionRequest['input'], file: string, cwd: string): Promise<void> {
  if ('text' in input) return writeFile(file, input.text);
  const path = resolve(cwd, input.path);
  try {
    await copyFile(path, file, constants.COPYFILE_FICLONE);
  } catch (e) {
    const code = readErrorCode(e);
    const why = READ_ERRORS[code ?? ''] ?? code ?? readErrorMessage(e);
    throw new InvalidParameterError(`Cannot read the input ${path}: ${why}`, { cause: e });
  }
}
