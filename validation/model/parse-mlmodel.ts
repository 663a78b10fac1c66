import { z } from 'zod';
import { convertCondaVersion } from '../requirements/conda-names.ts';

const text = z.string().nullish();
const flavor = z.looseObject({});

/** The MLmodel file of MLflow 1.x, 2.x and 3.x. Unknown keys are allowed. */
export const mlmodelFile = z.looseObject({
  flavors: z.record(z.string(), flavor),
  mlflow_version: text,
  signature: z.looseObject({ inputs: text, outputs: text, params: text }).nullish(),
  is_signature_from_type_hint: z.unknown().optional(),
  saved_input_example_info: z.looseObject({ artifact_path: text, serving_input_path: text, type: text }).nullish(),
  metadata: z.looseObject({}).nullish(),
});

export type MlmodelFile = z.infer<typeof mlmodelFile>;

/** `python_env.yaml`, which MLflow writes since 1.26. */
export const pythonEnvFile = z.looseObject({
  python: z.union([z.string(), z.number()]).nullish(),
  dependencies: z.array(z.unknown()).nullish(),
});

/** `conda.yaml`. The pip requirements are a map inside the list of dependencies. */
export const condaFile = z.looseObject({
  channels: z.array(z.string()).nullish(),
  dependencies: z.array(z.unknown()).nullish(),
});

/** The parts of a conda.yaml that affect a virtualenv. */
export interface CondaEnvironment {
  /** Also those of single packages, such as `main::numpy`. */
  readonly channels: readonly CondaChannel[];
  /** Whether conda would take its own default channels. */
  readonly hasDefaultChannels: boolean;
  /** `python=3.11.7` → `3.11.7`, `python>=3.8` → `3.8` */
  readonly python: string | undefined;
  /** `>=3.8`, if more than one minor version is allowed; empty: any. Undefined: one is. */
  readonly pythonRange: string | undefined;
  /** Index of Python in the dependencies. */
  readonly pythonIndex: number;
  /** Conda packages, which a virtualenv cannot contain. Excludes python, pip, setuptools and wheel. */
  readonly packages: readonly string[];
  /** Their indices in the dependencies. */
  readonly indices: readonly number[];
}

interface CondaChannel {
  readonly name: string;
  /** Of the value in conda.yaml. */
  readonly path: readonly (string | number)[];
}

const BUILT_IN_PACKAGES = new Set(['python', 'pip', 'setuptools', 'wheel']);

/** Extracts those parts from a conda.yaml. */
export function makeCondaEnvironment({ channels, dependencies }: z.infer<typeof condaFile>): CondaEnvironment {
  const list = dependencies ?? [];
  const packages = list.filter((d): d is string => typeof d === 'string');
  const names = packages.map(
    (p) =>
      p
        .split(/[=<>!~ [;]/)[0]
        ?.split('::')
        .at(-1) ?? p,
  );
  const python = packages.find((_, i) => names[i] === 'python');
  const others = packages.filter((_, i) => !BUILT_IN_PACKAGES.has(names[i] ?? ''));
  const range = convertCondaVersion(python ?? '');
  return {
    channels: [
      ...(channels ?? []).map((name, i) => ({ name, path: ['channels', i] })),
      ...list.flatMap((d, i) => {
        const [name, ...rest] = typeof d === 'string' ? d.split('::') : [];
        return name !== undefined && rest.length > 0 ? [{ name, path: ['dependencies', i] }] : [];
      }),
    ],
    hasDefaultChannels: list.length > 0 && (channels ?? []).length === 0,
    python: /(?<!\d)(\d+\.\d+(?:\.\d+)?)/.exec(python ?? '')?.[1],
    pythonRange: python === undefined || /^==\d+\.\d+/.test(range) ? undefined : range,
    pythonIndex: list.findIndex((d) => d === python),
    packages: others,
    indices: others.map((p) => list.indexOf(p)),
  };
}

/** The value of `pip` in a dependency of a conda.yaml, or undefined. */
export function readPipSection(dependency: unknown): unknown {
  return dependency !== null && typeof dependency === 'object' && 'pip' in dependency ? dependency.pip : undefined;
}
