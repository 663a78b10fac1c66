import { randomInt } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { ByteCodeCompiler } from '../../python/compile-byte-code.ts';
import type { Virtualenv } from '../../python/ensure-virtualenv.ts';
import { findBasePython } from '../../python/find-base-python.ts';
import { makeReadable } from '../../python/make-readable.ts';
import { runUntrusted, type UntrustedLimits, type UntrustedRun } from '../../sandbox/run-untrusted.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import type { NetworkAddress } from '../../schemas/values/network-address.ts';
import { codePath } from '../../system/code.ts';
import { listIgnoredFiles } from '../../system/model-digest.ts';
import { parseImported } from './proof-document.ts';

/** The folder of the model server's Python package, which contains the programs that run a model once. */
export const RUNTIME_FOLDER = codePath('runtime');
/** Limited, because OpenBLAS allocates a buffer for each thread, which counts against the memory limit. */
const THREADS = Math.min(4, availableParallelism());

/**
 * The same for all programs: the process of a proof and the second load must agree on `hash` of text, like the workers
 * of a server, and so must the versions of a comparison.
 */
const HASH_SEED = String(randomInt(2 ** 32));

/** A Python that runs a model: the locked virtualenv, or one that Davit did not make and does not write to. */
export type Interpreter = Virtualenv | { readonly python: string; readonly pythonVersion: string };

/** A program of the model server's package that runs a model once. */
export interface ModelProgram {
  /** The model's folder. */
  readonly model: string;
  readonly interpreter: Interpreter;
  /** For Python, without the interpreter: `-m davit_server.prove …`. */
  readonly args: readonly string[];
  readonly environmentVars: Readonly<Record<string, string>>;
  /** Folders that it reads, beside the model's. */
  readonly data?: readonly string[];
  /** The services that it may reach in a sandbox. Without one, its network is this machine's. */
  readonly services?: readonly NetworkAddress[];
  readonly limits: UntrustedLimits;
  /** Undefined: the model runs with the user's own rights. */
  readonly sandbox: Sandbox | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs a model in a fresh process, never with Davit's environment variables. Modules that it imports without byte code are
 * compiled for later runs, in the virtualenvs that Davit made.
 */
export async function runModelProgram(program: ModelProgram): Promise<UntrustedRun> {
  const { model, interpreter, args, environmentVars, data = [], services = [], limits, sandbox, signal } = program;
  const base = await findBasePython(interpreter.python);
  const own = 'folder' in interpreter ? interpreter : undefined;
  const compiler = own && new ByteCodeCompiler(own, base, [RUNTIME_FOLDER]);
  if (own) {
    await mkdir(own.pycache, { recursive: true });
    await makeReadable(own.pycache);
  }
  const folder = own?.folder ?? dirname(dirname(interpreter.python));
  const run = await runUntrusted(
    {
      command: [interpreter.python, ...args],
      env: { PYTHONHASHSEED: HASH_SEED, ...environmentVars, ...makePythonEnvironment(own) },
      path: [join(folder, 'bin')],
      readable: [...base.folders, ...(own ? [folder] : listVirtualenvFolders(folder))],
      data: [RUNTIME_FOLDER, model, ...data],
      // The digest leaves them out, so a run with them would be of another model.
      hidden: await listIgnoredFiles(model),
      ...(services.length > 0 && { network: { services, python: base.executable } }),
      limits,
      signal,
      onLine: (line) => compiler?.add(parseImported(line)),
    },
    sandbox,
  );
  await compiler?.end();
  return run;
}

/** What a virtualenv of the user consists of, and not what may be beside it: a project often has the name of its folder. */
export function listVirtualenvFolders(folder: string): readonly string[] {
  return ['bin', 'lib', 'lib64', 'pyvenv.cfg'].map((name) => join(folder, name)).filter((path) => existsSync(path));
}

/** The variables of a Python that runs a model. Only Davit's virtualenvs have their byte code in a folder of its own. */
function makePythonEnvironment(own: Virtualenv | undefined): Readonly<Record<string, string>> {
  const threads = ['OMP', 'OPENBLAS', 'MKL', 'NUMEXPR'].map(
    (name) => [`${name}_NUM_THREADS`, String(THREADS)] as const,
  );
  return {
    PYTHONPATH: RUNTIME_FOLDER,
    ...(own && { PYTHONPYCACHEPREFIX: own.pycache }),
    PYTHONNOUSERSITE: '1',
    PYTHONUNBUFFERED: '1',
    ...Object.fromEntries(threads),
  };
}
