import { open, readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { makeFolderAtomically } from '../system/atomic-files.ts';
import { maskSecrets } from '../schemas/values/mask-secrets.ts';
import { isVersionAtLeast } from '../schemas/values/versions.ts';
import { cacheFolder } from '../system/cache.ts';
import { codePath } from '../system/code.ts';
import { withFileLock } from '../system/locks/file-lock.ts';
import { type Progress, SILENT, withProgress } from '../system/progress.ts';
import { isExecutable, runProcess } from '../system/run-process.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import { readErrorMessage } from '../schemas/values/read-error-message.ts';

export interface PythonOptions {
  readonly progress?: Progress;
  readonly signal?: AbortSignal | undefined;
  /** Where code of packages runs. Undefined: with the user's own rights, because they serve already or the user said so. */
  readonly sandbox?: Sandbox | undefined;
  /** Whether wheels may be built with the user's own rights. Undefined: the environment of the user decides. */
  readonly withoutSandbox?: boolean | undefined;
}

/**
 * Older versions lack `pip check --python` or `pip compile --python-platform *-manylinux_2_28`, or have other messages.
 */
const MINIMUM_VERSION = '0.13.0';
/** Contains one line `uv==VERSION` and the hashes of its wheels. */
const REQUIREMENTS = codePath('python', 'uv-requirements.txt');
const INSTALL_LIMIT_SECONDS = 300;

const found = new Map<string, Promise<string>>();

/** Finds a recent uv on the PATH or in the cache, or installs one into the cache. Throws if the installation fails. */
export function findUv(options: PythonOptions = {}): Promise<string> {
  const key = `${cacheFolder()}\0${process.env['PATH'] ?? ''}`;
  const known = found.get(key) ?? locateUv(options);
  found.set(key, known);
  known.catch(() => found.delete(key));
  return known;
}

async function locateUv({ progress = SILENT, signal }: PythonOptions): Promise<string> {
  for (const candidate of await listProgramsOnPath('uv')) {
    const version = await readVersion(candidate);
    if (version && isVersionAtLeast(version, MINIMUM_VERSION)) return candidate;
    if (version) progress.say(`Ignoring ${candidate}: it is uv ${version}, expected ${MINIMUM_VERSION} or newer`);
  }
  const requirements = await readFile(REQUIREMENTS, 'utf8');
  const version = /^uv==([0-9.]+)/m.exec(requirements)?.[1];
  const hashes = [...requirements.matchAll(/sha256:([0-9a-f]{64})/g)].map(([, hash = '']) => hash);
  if (!version) throw new Error(`Cannot read the version of uv in ${REQUIREMENTS}: expected a line "uv==VERSION"`);
  const folder = cacheFolder('uv', version);
  const program = join(folder, 'bin', 'uv');
  if (await isExecutable(program)) return program;
  await withFileLock(
    `${folder}.lock`,
    async () => {
      if (await isExecutable(program)) return;
      await withProgress(progress, `Installing uv ${version} (about 25 MB, once)`, () =>
        makeFolderAtomically(folder, (fresh) => installUv(fresh, { version, hashes, signal })),
      );
    },
    { what: `installing uv ${version}`, progress, signal },
  );
  return program;
}

/** Uses any Python with pip; --target leaves that Python unchanged. Without pip, downloads the wheel directly. */
async function installUv(
  folder: string,
  {
    version,
    hashes,
    signal,
  }: { readonly version: string; readonly hashes: readonly string[]; readonly signal: AbortSignal | undefined },
): Promise<void> {
  const failures: string[] = [];
  const pythons = [...(await listProgramsOnPath('python3', { shims: true })), '/usr/bin/python3'];
  for (const python of pythons) {
    const args = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-input', '--no-deps'];
    const wheel = ['--require-hashes', '--only-binary', ':all:', '--target', folder, '-r', REQUIREMENTS];
    const run = await runProcess(python, [...args, ...wheel], {
      cwd: folder, // Python finds modules in its working folder, and Davit's may be a pull request's checkout
      limitSeconds: INSTALL_LIMIT_SECONDS,
      ...(signal && { signal }),
    }).catch((e: unknown) => {
      if (signal?.aborted) throw e;
      return { code: -1, stderr: readErrorMessage(e) };
    });
    if (run.code === 0 && (await isExecutable(join(folder, 'bin', 'uv')))) return;
    failures.push(`${python}: ${maskSecrets(lastLine(run.stderr)) || `pip ended with ${run.code}`}`);
  }
  try {
    const { downloadUv } = await import('./download-uv.ts'); // rarely needed, and loads zod
    await downloadUv(folder, { version, hashes, python: pythons[0] ?? 'python3', signal });
    return;
  } catch (e) {
    if (signal?.aborted) throw e;
    failures.push(readErrorMessage(e));
  }
  throw new Error(
    `Cannot install uv: ${failures.join('; ')}. ` +
      'Install uv yourself (https://docs.astral.sh/uv) or install pip for python3, then run the same command again',
  );
}

/** Lists programs of this name in PATH order. Skips scripts (`#!`), such as pyenv's shims, unless `shims` is set. */
export async function listProgramsOnPath(name: string, { shims = false } = {}): Promise<readonly string[]> {
  const paths = (process.env['PATH'] ?? '').split(delimiter).filter(Boolean);
  const candidates = [...new Set(paths)].map((folder) => join(folder, name));
  const usable = await Promise.all(
    candidates.map(async (file) => (await isExecutable(file)) && (shims || !(await isScript(file)))),
  );
  return candidates.filter((_, i) => usable[i]);
}

async function readVersion(uv: string): Promise<string | undefined> {
  const run = await runProcess(uv, ['--version'], { limitSeconds: 10 }).catch(() => undefined);
  return /^uv (\d+\.\d+\.\d+)/.exec(run?.stdout ?? '')?.[1];
}

async function isScript(file: string): Promise<boolean> {
  const handle = await open(file).catch(() => undefined);
  if (!handle) return true;
  try {
    const { buffer } = await handle.read(Buffer.alloc(2), 0, 2, 0);
    return buffer.toString('latin1') === '#!';
  } finally {
    await handle.close();
  }
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.trim() ?? '';
}
