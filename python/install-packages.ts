import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { LockedPackage } from '../schemas/lock/lock.ts';
import { writeFileAtomically } from '../system/atomic-files.ts';
import { isBelow } from '../system/is-below.ts';
import type { ProcessResult } from '../system/run-process.ts';
import type { PythonOptions } from './find-uv.ts';
import { removeTests } from './remove-tests.ts';
import { runUv } from './run-uv.ts';
import { VirtualenvError } from './virtualenv-error.ts';
import { watchInterpreter } from './watch-interpreter.ts';

/** A package of the lock, with the file of its wheel if Davit has built it. */
export interface InstallablePackage extends LockedPackage {
  readonly file?: string;
}

export interface InstallRequest {
  readonly packages: readonly InstallablePackage[];
  /** Base folder of a relative package `source`, which is a wheel in the model's directory. */
  readonly modelFolder?: string | undefined;
  /** The folder that contains, or will contain, `lib`. */
  readonly folder: string;
  /** uv's arguments for this folder, the Python and the platform. */
  readonly into: readonly string[];
  /**
   * Makes the folder empty again after a failed installation: uv may start the virtualenv's Python the next time, and
   * that runs code of the packages that were installed.
   */
  readonly clear?: () => Promise<void>;
  /** The requirements file to write for uv. */
  readonly requirements: string;
}

export const INSTALL_LIMIT_SECONDS = 1800;
/** uv would run the code of a source distribution. */
export const WHEELS_ONLY = ['--only-binary', ':all:'];

/**
 * Installs exactly these packages, without their tests. Accepts only wheels with a matching hash. Uses uv's cache alone
 * if it has all wheels. Throws a VirtualenvError.
 */
export async function installPackages(wanted: InstallRequest, options: PythonOptions = {}): Promise<void> {
  await writeFileAtomically(wanted.requirements, renderRequirements(wanted));
  if (wanted.packages.length === 0) return;
  // Compiling would start the virtualenv's Python, which runs code of packages.
  const install = [
    'pip',
    'install',
    '--quiet',
    '--no-deps',
    '--require-hashes',
    ...WHEELS_ONLY,
    '--no-compile-bytecode',
  ];
  const checkInterpreter = await watchInterpreter(wanted.folder);
  const from = [...wanted.into, '-r', wanted.requirements];
  const limited = { ...options, limitSeconds: INSTALL_LIMIT_SECONDS };
  const offline = await runUv([...install, '--offline', ...from], limited);
  if (offline.code !== 0) {
    await wanted.clear?.();
    await writeFileAtomically(wanted.requirements, renderRequirements(wanted));
  }
  const installed = offline.code === 0 ? offline : await runUv([...install, ...from], limited);
  if (installed.code !== 0) throw makeInstallError('Cannot install the packages of the lock', installed);
  await checkInterpreter();
  await removeTests(join(wanted.folder, 'lib'));
}

/** Converts uv's failure into an error with a hint. */
export function makeInstallError(what: string, run: ProcessResult): VirtualenvError {
  if (run.timedOut)
    return new VirtualenvError('install-failed', `${what}: uv was stopped after ${INSTALL_LIMIT_SECONDS} s`);
  const cause = run.stderr
    .split('\n')
    .map((line) => line.replace(/^\s*(error:|cause:|×|├─▶|╰─▶|│)\s*/u, '').trim())
    .filter(Boolean)
    .slice(0, 4)
    .join('; ');
  const hash = /hash mismatch/i.test(run.stderr);
  const hint = hash
    ? 'The index now has different files for this version than when the lock was made: find out why, then run npx davit lock --upgrade'
    : 'If the network or the index failed, run the same command again; if a version was withdrawn, run npx davit lock --upgrade';
  return new VirtualenvError('install-failed', `${what}: ${cause}`, { hint });
}

function renderRequirements({ packages, modelFolder }: InstallRequest): string {
  const lines = packages.map(({ name, version, source, hashes, built, file }) => {
    if (built !== undefined && file === undefined)
      throw new TypeError(`Cannot install ${name}: its wheel is not built`);
    const address = file === undefined ? source && locateSource(source, modelFolder) : pathToFileURL(file).href;
    const what = address === undefined ? `${name}==${version}` : `${name} @ ${address}`;
    return [what, ...hashes.map((h) => `--hash=${h}`)].join(' ');
  });
  return `${lines.join('\n')}\n`;
}

/** Keeps an address. Refuses a path outside the model. */
function locateSource(source: string, modelFolder: string | undefined): string {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(source)) return source;
  const root = resolve(modelFolder ?? '.');
  const file = resolve(root, source);
  if (!modelFolder || !isBelow(file, root))
    throw new VirtualenvError('install-failed', `Cannot install "${source}": it is not inside the model's directory`);
  return `file://${file.split('/').map(encodeURIComponent).join('/')}`;
}
