import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import type { SourceLocation } from '../../schemas/diagnostic.ts';
import { satisfiesSpecifier } from '../../python/satisfies-specifier.ts';
import { parseYaml } from '../../schemas/yaml/parse-yaml.ts';
import type { ParsedYaml } from '../../schemas/yaml/parsed-yaml.ts';
import type { Signature } from '../../schemas/lock/signature.ts';
import { digestModel, ModelLinkError } from '../../system/model-digest.ts';
import {
  type CondaEnvironment,
  condaFile,
  makeCondaEnvironment,
  type MlmodelFile,
  mlmodelFile,
  pythonEnvFile,
  readPipSection,
} from './parse-mlmodel.ts';
import type { Requirement } from '../requirements/parse-requirements.ts';
import { readModelText } from './read-model-text.ts';
import { type ListedLine, readRequirements } from '../requirements/read-requirements.ts';
import type { ModelProblem } from '../subject.ts';

/** The contents of an MLflow model directory. */
export interface Model {
  /** Absolute. */
  readonly folder: string;
  /** `sha256:…` */
  readonly digest: string;
  readonly flavors: MlmodelFile['flavors'];
  readonly mlflowVersion: string | undefined;
  /** Version of the Python that saved the model: `3.11.7`, or `3.11` in old models. */
  readonly pythonVersion: string | undefined;
  /** Source location of the Python version. */
  readonly pythonPlace: SourceLocation;
  readonly signature: Signature;
  /** Path of the input example inside the model. */
  readonly example: string | undefined;
  readonly requirements: readonly Requirement[];
  /** Constraints from `-c FILE`. They limit versions and install nothing. */
  readonly constraints: readonly Requirement[];
  /** Whether the model has a list of requirements. */
  readonly hasRequirements: boolean;
  /** Whether it has the lock of a uv project. */
  readonly hasUvLock: boolean;
  readonly conda: CondaEnvironment | undefined;
  /** Locates a value in conda.yaml. */
  readonly locateConda: ParsedYaml<unknown>['locate'];
  /** Locates a value in MLmodel. */
  readonly locate: ParsedYaml<unknown>['locate'];
}

export interface ModelReadResult {
  readonly model: Model | undefined;
  readonly problems: readonly ModelProblem[];
}

/** Reads MLmodel (MLflow 1.x, 2.x or 3.x) and its related files. Never runs code of the model. */
export async function readModel(folder: string): Promise<ModelReadResult> {
  try {
    return await readFiles(folder);
  } catch (e) {
    if (!(e instanceof ModelLinkError)) throw e;
    return unreadable(`Cannot use the model: ${e.message}, expected files only`, 'Log the model again without links');
  }
}

async function readFiles(folder: string): Promise<ModelReadResult> {
  const text = await readModelText(folder, 'MLmodel');
  if (text === undefined) return unreadable('Cannot read the model: there is no file MLmodel in its directory');
  const parsed = parseYaml(text, 'MLmodel', mlmodelFile);
  if (!parsed.value) return { model: undefined, problems: parsed.diagnostics.map((d) => makeUnreadableProblem(d, d)) };
  const digest = await digestModel(folder);
  const problems: ModelProblem[] = [];
  const pythonEnv = await readYaml(folder, 'python_env.yaml', pythonEnvFile, problems);
  const condaYaml = await readYaml(folder, 'conda.yaml', condaFile, problems);
  const conda = condaYaml?.value && makeCondaEnvironment(condaYaml.value);
  const required = await readRequirements(folder, listYamlLines(condaYaml, pythonEnv));
  problems.push(...required.problems);
  const { value, locate } = parsed;
  return {
    model: {
      folder,
      digest,
      flavors: value.flavors,
      mlflowVersion: value.mlflow_version ?? undefined,
      ...readPython({ pythonEnv, condaYaml, conda }, value, locate),
      signature: {
        inputs: value.signature?.inputs ?? null,
        outputs: value.signature?.outputs ?? null,
        params: value.signature?.params ?? null,
        ...(value['is_signature_from_type_hint'] === true && { typeHints: true as const }),
      },
      example: await findExample(folder, value),
      requirements: required.requirements,
      constraints: required.constraints,
      hasRequirements: required.found || (conda?.packages.length ?? 0) > 0,
      hasUvLock: await exists(join(folder, 'uv.lock')),
      conda,
      locateConda: condaYaml?.locate ?? locate,
      locate,
    },
    problems,
  };
}

/** The pip requirements that YAML files list, each with its place. */
function listYamlLines(
  conda: YamlFile<z.infer<typeof condaFile>> | undefined,
  pythonEnv: YamlFile<z.infer<typeof pythonEnvFile>> | undefined,
): { readonly conda: readonly ListedLine[]; readonly pythonEnv: readonly ListedLine[] } {
  const list = (file: YamlFile<unknown> | undefined, path: readonly (string | number)[], values: unknown) =>
    (Array.isArray(values) ? values : []).flatMap((text: unknown, i): readonly ListedLine[] =>
      typeof text === 'string' && file ? [{ text, at: file.locate([...path, i]) }] : [],
    );
  const inConda = (conda?.value?.dependencies ?? []).flatMap((dependency, i) =>
    list(conda, ['dependencies', i, 'pip'], readPipSection(dependency)),
  );
  return { conda: inConda, pythonEnv: list(pythonEnv, ['dependencies'], pythonEnv?.value?.dependencies) };
}

interface YamlFile<T> extends Pick<ParsedYaml<T>, 'value' | 'locate'> {
  readonly text: string;
}

function readPython(
  files: {
    readonly pythonEnv: YamlFile<z.infer<typeof pythonEnvFile>> | undefined;
    readonly condaYaml: YamlFile<z.infer<typeof condaFile>> | undefined;
    readonly conda: CondaEnvironment | undefined;
  },
  { flavors }: MlmodelFile,
  locate: Model['locate'],
): Pick<Model, 'pythonVersion' | 'pythonPlace'> {
  const { pythonEnv, condaYaml, conda } = files;
  const inFlavor = ['flavors', 'python_function', 'python_version'];
  const saved = flavors['python_function']?.['python_version'];
  const inConda = [
    conda?.python,
    () => condaYaml?.locate(['dependencies', conda?.pythonIndex ?? 0]) ?? locate([]),
  ] as const;
  const said: readonly (readonly [unknown, () => SourceLocation])[] = [
    [pythonEnv && readWrittenPython(pythonEnv), () => pythonEnv?.locate(['python']) ?? locate([])],
    // Of a range, the version that saved the model is the one that loads it.
    ...(allowsVersion(conda?.pythonRange, saved) ? [] : [inConda]),
    [saved, () => locate(inFlavor)],
    inConda,
  ];
  const [value, at] = said.find(([v]) => v !== undefined && v !== null) ?? [];
  const text = typeof value === 'number' || typeof value === 'string' ? String(value) : '';
  return {
    pythonVersion: /(?<!\d)\d+\.\d+(?:\.\d+)?/.exec(text)?.[0],
    pythonPlace: at?.() ?? { file: 'MLmodel', line: 1, column: 1 },
  };
}

function allowsVersion(range: string | undefined, version: unknown): boolean {
  return range !== undefined && typeof version === 'string' && satisfiesSpecifier(version, range) !== false;
}

/** YAML reads `3.10` without quotation marks as the number 3.1. */
function readWrittenPython({ value, text }: YamlFile<z.infer<typeof pythonEnvFile>>): unknown {
  const python = value?.python;
  return typeof python === 'number' ? (/^python\s*:\s*([\d.]+)/m.exec(text)?.[1] ?? python) : python;
}

/**
 * Models logged before MLflow 2.16 have no serving_input_example.json. The server derives it from the input example.
 */
async function findExample(
  folder: string,
  { saved_input_example_info: saved }: MlmodelFile,
): Promise<string | undefined> {
  const names = ['serving_input_example.json', ...(saved ? [saved.artifact_path ?? 'input_example.json'] : [])];
  for (const name of names) {
    if (await exists(join(folder, name))) return name;
  }
  return undefined;
}

function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

async function readYaml<T>(
  folder: string,
  file: string,
  schema: z.ZodType<T>,
  problems: ModelProblem[],
): Promise<YamlFile<T> | undefined> {
  const text = await readModelText(folder, file);
  if (text === undefined) return undefined;
  const { value, diagnostics, locate } = parseYaml(text, file, schema);
  problems.push(...diagnostics.map((d) => makeUnreadableProblem(d, d)));
  return { value, locate, text };
}

function makeUnreadableProblem({ message }: { readonly message: string }, at: SourceLocation): ModelProblem {
  const { file, line, column } = at;
  const where = `${file}: ${message}`;
  return {
    code: 'model-unreadable',
    severity: 'error',
    message: `Cannot read the model: ${where}`,
    at: { file, line, column },
  };
}

function unreadable(message: string, hint?: string): ModelReadResult {
  const at = { file: 'MLmodel', line: 1, column: 1 };
  return { model: undefined, problems: [{ code: 'model-unreadable', severity: 'error', message, hint, at }] };
}
