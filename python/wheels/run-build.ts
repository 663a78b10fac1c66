import { createHash } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { rm } from 'node:fs/promises';
import { z } from 'zod';
import { runUntrusted } from '../../sandbox/run-untrusted.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import type { LockedPackage } from '../../schemas/lock/lock.ts';
import { codePath } from '../../system/code.ts';
import { findBasePython } from '../find-base-python.ts';
import type { Python } from '../find-python.ts';
import type { PythonOptions } from '../find-uv.ts';
import { installPackages } from '../install-packages.ts';
import { makeReadable } from '../make-readable.ts';
import { runUv } from '../run-uv.ts';
import { VirtualenvError } from '../virtualenv-error.ts';
import { type BuildFailure, explainBuild } from './explain-build.ts';
import { parseJson } from '../../schemas/values/parse-json.ts';

/** A wheel that was built from a source distribution. */
export interface BuiltWheel {
  /** `docopt-0.6.2-py2.py3-none-any.whl` */
  readonly file: string;
  readonly bytes: Buffer;
  /** `sha256:…` */
  readonly hash: string;
  /** The text of its file METADATA. */
  readonly metadata: string;
}

/** Build requirements that have to be installed first. */
interface MissingRequirements {
  readonly requires: readonly string[];
}

export interface BuildRequest {
  /** A temporary folder. Its folder `source` has the source distribution and nothing else. */
  readonly folder: string;
  /** Path of the source distribution, or of an archive of a commit. */
  readonly source: string;
  /** The version for a package that would ask Git for it. Undefined: a source distribution has it. */
  readonly version?: string;
  readonly python: Python;
  /** Undefined: the program runs with the user's own rights. */
  readonly sandbox: Sandbox | undefined;
}

const PROGRAM = codePath('python', 'wheels', 'build_wheel.py');
const LIMIT_SECONDS = 900;
/** Of a replica with the workload type CPU. */
const MEMORY_BYTES = 4 * 2 ** 30;
const OUTPUT_BYTES = 512 << 20;
const WHEEL_NAME =
  /^[A-Za-z0-9._]+-[A-Za-z0-9._+!]+(?:-\d[A-Za-z0-9._]*)?-[A-Za-z0-9._]+-[A-Za-z0-9_]+-[A-Za-z0-9._]+\.whl$/;

const output = z.union([
  z.object({ name: z.string().regex(WHEEL_NAME), wheel: z.base64(), metadata: z.string() }),
  z.object({ requires: z.array(z.string().max(1000)).max(100) }),
]);

/**
 * What every build has: the same time, the same order of Python's sets, and no debug information, which has the paths of
 * the machine. The same sources then give the same wheel.
 */
const ENVIRONMENT = {
  SOURCE_DATE_EPOCH: '315532800',
  PYTHONHASHSEED: '0',
  PYTHONNOUSERSITE: '1',
  PYTHONDONTWRITEBYTECODE: '1',
  CFLAGS: '-g0',
  CXXFLAGS: '-g0',
};

/** The variables of tools that read the version of a package from Git: setuptools-scm and hatch-vcs, pbr, PDM, and others. */
function makeVersionVariables(version: string | undefined): Readonly<Record<string, string>> {
  if (version === undefined) return {};
  return {
    ...{ SETUPTOOLS_SCM_PRETEND_VERSION: version, PBR_VERSION: version, PDM_BUILD_SCM_VERSION: version },
    ...{ POETRY_DYNAMIC_VERSIONING_BYPASS: version, UV_DYNAMIC_VERSIONING_BYPASS: version },
  };
}

/** Reads what a source distribution needs to be built: the list in its pyproject.toml. */
export async function readBuildRequirements(
  request: BuildRequest,
  options: PythonOptions,
): Promise<MissingRequirements | BuildFailure> {
  const found = await runProgram(['inspect', request.source], request, { ...options, environment: undefined });
  if ('file' in found) throw new TypeError('Cannot read build requirements: the program has built a wheel');
  return found;
}

/**
 * Builds the wheel of a source distribution in the sandbox, without network, in a virtualenv with `packages`.
 * `requirements` are the lines that these packages satisfy: if the package needs others, nothing is built, and they are the
 * result. Undefined: does not ask the package.
 */
export async function buildWheel(
  request: BuildRequest & { readonly packages: readonly LockedPackage[]; readonly requirements?: readonly string[] },
  options: PythonOptions,
): Promise<BuiltWheel | MissingRequirements | BuildFailure> {
  const environment = join(request.folder, 'environment');
  try {
    await makeEnvironment(environment, request, options);
    const args = ['build', request.source, JSON.stringify(request.requirements ?? null)];
    return await runProgram(args, request, { ...options, environment });
  } finally {
    await rm(environment, { recursive: true, force: true });
  }
}

/** Relocatable, because it has another path in the sandbox. */
async function makeEnvironment(
  folder: string,
  { python, packages }: { readonly python: Python; readonly packages: readonly LockedPackage[] },
  options: PythonOptions,
): Promise<void> {
  const own = join(folder, 'bin', 'python');
  const clear = async () => {
    await rm(folder, { recursive: true, force: true });
    const args = ['venv', '--quiet', '--no-project', '--relocatable', '--python', python.executable, folder];
    const made = await runUv(args, { ...options, limitSeconds: LIMIT_SECONDS });
    if (made.code !== 0)
      throw new VirtualenvError('install-failed', `Cannot make a virtualenv to build in: ${made.stderr.trim()}`);
  };
  await clear();
  const requirements = `${folder}.txt`;
  await installPackages({ packages, folder, into: ['--python', own], clear, requirements }, options);
  await makeReadable(folder);
}

/** Where the virtualenv is in the sandbox: a path that is the same on every machine. */
const ENVIRONMENT_PLACE = '/davit/environment';

async function runProgram(
  args: readonly string[],
  { source, version, python, sandbox }: BuildRequest,
  { signal, environment }: PythonOptions & { readonly environment: string | undefined },
): Promise<BuiltWheel | MissingRequirements | BuildFailure> {
  const { folders, executable } = await findBasePython(python.executable);
  const place = sandbox ? ENVIRONMENT_PLACE : environment;
  const run = await runUntrusted(
    {
      command: [environment === undefined ? executable : join(place ?? '', 'bin', 'python'), '-s', PROGRAM, ...args],
      env: { ...ENVIRONMENT, ...makeVersionVariables(version) },
      path: environment === undefined ? [] : [join(place ?? '', 'bin')],
      readable: [...folders, ...(environment === undefined ? [] : [{ from: environment, at: ENVIRONMENT_PLACE }])],
      data: [dirname(PROGRAM), dirname(source)],
      limits: {
        seconds: LIMIT_SECONDS,
        outputBytes: OUTPUT_BYTES,
        processMemoryBytes: MEMORY_BYTES,
        memoryBytes: MEMORY_BYTES,
      },
      signal,
    },
    sandbox,
  );
  const found = run.code === 0 ? parseJson(run.stdout, output) : undefined;
  if (!found) return explainBuild(run, { limitSeconds: LIMIT_SECONDS, memoryBytes: MEMORY_BYTES });
  if ('requires' in found) return found;
  const bytes = Buffer.from(found.wheel, 'base64');
  const hash = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  return { file: basename(found.name), bytes, hash, metadata: found.metadata };
}
