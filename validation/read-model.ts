import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import type { Place } from '../schemas/diagnostic.ts';
import { type ParsedYaml, parseYaml } from '../schemas/parse-yaml.ts';
import { readText } from '../schemas/read-declared.ts';
import { digestModel, ModelLinkError } from '../system/model-digest.ts';
import { type Conda, condaFile, makeConda, type MlmodelFile, mlmodelFile, pythonEnvFile } from './parse-mlmodel.ts';
import type { Requirement } from './parse-requirements.ts';
import { readRequirements } from './read-requirements.ts';
import type { ModelProblem } from './subject.ts';

/** An MLflow model directory, read and not run. */
export interface Model {
  /** Absolute. */
  readonly folder: string;
  /** `sha256:…` */
  readonly digest: string;
  readonly flavors: MlmodelFile['flavors'];
  readonly mlflowVersion: string | undefined;
  /** Of the Python that saved the model: `3.11.7`, or `3.11` from old models. */
  readonly pythonVersion: string | undefined;
  readonly signature: {
    readonly inputs: string | null;
    readonly outputs: string | null;
    readonly params: string | null;
  };
  /** The input example's file inside the model. */
  readonly example: string | undefined;
  readonly requirements: readonly Requirement[];
  /** From `-c FILE`: they bound versions and install nothing. */
  readonly constraints: readonly Requirement[];
  /** Whether the model says at all what it requires. */
  readonly hasRequirements: boolean;
  readonly conda: Conda | undefined;
  /** Where something is in MLmodel. */
  readonly locate: ParsedYaml<unknown>['locate'];
}

export interface ReadModel {
  readonly model: Model | undefined;
  readonly problems: readonly ModelProblem[];
}

/** Reads MLmodel 1.x, 2.x or 3.x and the files around it. Never runs anything of the model. */
export async function readModel(folder: string): Promise<ReadModel> {
  const text = await readText(join(folder, 'MLmodel'));
  if (text === undefined) return unreadable('Cannot read the model: there is no file MLmodel in its directory');
  const parsed = parseYaml(text, 'MLmodel', mlmodelFile);
  if (!parsed.value) return { model: undefined, problems: parsed.diagnostics.map((d) => asUnreadable(d, d)) };
  const digest = await digestModel(folder).catch((e: unknown) => {
    if (e instanceof ModelLinkError) return e;
    throw e;
  });
  if (digest instanceof ModelLinkError)
    return unreadable(
      `Cannot use the model: ${digest.message}, expected files only`,
      'Log the model again without links',
    );
  const problems: ModelProblem[] = [];
  const pythonEnv = await readYaml(folder, 'python_env.yaml', pythonEnvFile, problems);
  const condaYaml = await readYaml(folder, 'conda.yaml', condaFile, problems);
  const conda = condaYaml && makeConda(condaYaml);
  const required = await readRequirements(folder, conda?.pip);
  problems.push(...required.problems);
  const { value, locate } = parsed;
  return {
    model: {
      folder,
      digest,
      flavors: value.flavors,
      mlflowVersion: value.mlflow_version ?? undefined,
      pythonVersion: readPython(pythonEnv?.python, conda, value),
      signature: {
        inputs: value.signature?.inputs ?? null,
        outputs: value.signature?.outputs ?? null,
        params: value.signature?.params ?? null,
      },
      example: await findExample(folder, value),
      requirements: required.requirements,
      constraints: required.constraints,
      hasRequirements: required.found,
      conda,
      locate,
    },
    problems,
  };
}

function readPython(python: string | number | null | undefined, conda: Conda | undefined, { flavors }: MlmodelFile) {
  const said = python ?? conda?.python ?? flavors['python_function']?.['python_version'];
  return /\d+\.\d+(?:\.\d+)?/.exec(typeof said === 'number' || typeof said === 'string' ? String(said) : '')?.[0];
}

/** Models logged before MLflow 2.16 have no serving_input_example.json: the server derives it from the other. */
async function findExample(
  folder: string,
  { saved_input_example_info: saved }: MlmodelFile,
): Promise<string | undefined> {
  const names = ['serving_input_example.json', ...(saved ? [saved.artifact_path ?? 'input_example.json'] : [])];
  for (const name of names) {
    const there = await access(join(folder, name)).then(
      () => true,
      () => false,
    );
    if (there) return name;
  }
  return undefined;
}

async function readYaml<T>(
  folder: string,
  file: string,
  schema: z.ZodType<T>,
  problems: ModelProblem[],
): Promise<T | undefined> {
  const text = await readText(join(folder, file));
  if (text === undefined) return undefined;
  const { value, diagnostics } = parseYaml(text, file, schema);
  problems.push(...diagnostics.map((d) => asUnreadable(d, d)));
  return value;
}

function asUnreadable({ message }: { readonly message: string }, at: Place): ModelProblem {
  const { file, line, column } = at;
  const where = `${file}: ${message}`;
  return {
    code: 'model-unreadable',
    severity: 'error',
    message: `Cannot read the model: ${where}`,
    at: { file, line, column },
  };
}

function unreadable(message: string, hint?: string): ReadModel {
  const at = { file: 'MLmodel', line: 1, column: 1 };
  return { model: undefined, problems: [{ code: 'model-unreadable', severity: 'error', message, hint, at }] };
}
