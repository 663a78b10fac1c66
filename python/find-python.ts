import { readdir, readFile, realpath } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { SILENT, withProgress } from '../system/progress.ts';
import { runProcess } from '../system/run-process.ts';
import { findUv, listProgramsOnPath, type PythonOptions } from './find-uv.ts';

/** An interpreter by its real path, never a shim. */
export interface Python {
  readonly executable: string;
  /** `3.11.7` */
  readonly version: string;
}

/** Enough to download the 30 MB of a managed Python. Without a network, the download fails after this time. */
const UV_PYTHON_LIMIT_SECONDS = 120;
const MINOR_NAMES = Array.from({ length: 10 }, (_, i) => `python3.${i + 7}`);
const PROBE_SCRIPT = 'import sys; print(sys.executable, "%d.%d.%d" % sys.version_info[:3], sep="\\t")';

const known = new Map<string, Promise<Python | undefined>>();

/**
 * Finds the interpreter for `wanted` (`3.11`, or preferably the full `3.11.7`): same minor version, nearest patch
 * version. If this machine has none, uv installs one. Returns undefined if that fails too.
 */
export function findPython(wanted: string, options: PythonOptions = {}): Promise<Python | undefined> {
  const promise = known.get(wanted) ?? locatePython(wanted, options);
  known.set(wanted, promise);
  promise.then(
    (python) => !python && known.delete(wanted),
    () => known.delete(wanted),
  );
  return promise;
}

/** Lists the Python 3 interpreters of this machine, or only those of one minor version, oldest first. */
export async function listPythons(minor?: string): Promise<readonly Python[]> {
  const files = await Promise.all((await listCandidates(minor)).map((f) => realpath(f).catch(() => undefined)));
  const unique = [...new Set(files.filter((f) => f !== undefined))];
  const probed = await Promise.all(unique.map(probePython));
  const byVersion = new Map<string, Python>();
  for (const python of probed) if (python && !byVersion.has(python.version)) byVersion.set(python.version, python);
  return [...byVersion.values()]
    .filter((p) => minor === undefined || p.version.startsWith(`${minor}.`))
    .sort((a, b) => comparePatches(a.version, b.version));
}

/** The newest interpreter of a minor version, else the newest of all. */
export async function findNewestPython(minor: string): Promise<Python | undefined> {
  return (await listPythons(minor)).at(-1) ?? (await listPythons()).at(-1);
}

/** Returns the first of these minor versions that this machine has, else the first. Probes no more than necessary. */
export async function chooseMinorVersion(minors: readonly string[]): Promise<string> {
  for (const minor of minors) if ((await listPythons(minor)).length > 0) return minor;
  return minors[0] ?? '3.12';
}

/** The interpreter of the user's shell, which may be a virtualenv's: of VIRTUAL_ENV, else the first on the PATH. */
export async function findShellPython(): Promise<Python | undefined> {
  const active = process.env['VIRTUAL_ENV'];
  if (active) return runProbe(join(active, 'bin', 'python'));
  const found = await Promise.all(['python3', 'python'].map((name) => listProgramsOnPath(name, { shims: true })));
  for (const file of found.flat()) {
    const python = await runProbe(file);
    if (python) return python;
  }
  return undefined;
}

/** `3.11.7` → `3.11` */
export function minorVersion(version: string): string {
  return version.split('.').slice(0, 2).join('.');
}

async function locatePython(wanted: string, options: PythonOptions): Promise<Python | undefined> {
  const minor = minorVersion(wanted);
  const here = findNearestPatch(await listPythons(minor), wanted);
  if (here) return here;
  const { progress = SILENT, signal } = options;
  const uv = await findUv(options);
  const installed = await withProgress(progress, `Downloading Python ${minor}, which is not installed`, () =>
    runProcess(uv, ['python', 'install', '--quiet', minor], {
      limitSeconds: UV_PYTHON_LIMIT_SECONDS,
      ...(signal && { signal }),
    }),
  );
  return installed.code === 0 ? findNearestPatch(await listPythons(minor), wanted) : undefined;
}

/**
 * Prefers the same patch, then the nearest newer one, then the nearest older one. Without a patch, takes the newest.
 */
function findNearestPatch(pythons: readonly Python[], wanted: string): Python | undefined {
  const patch = wanted.split('.')[2];
  if (patch === undefined) return pythons.at(-1);
  return pythons.find((p) => Number(p.version.split('.')[2]) >= Number(patch)) ?? pythons.at(-1);
}

async function listCandidates(minor: string | undefined): Promise<readonly string[]> {
  const pyenv = join(process.env['PYENV_ROOT'] || join(homedir(), '.pyenv'), 'versions');
  const shared = process.env['XDG_DATA_HOME'] || join(homedir(), '.local', 'share');
  const managed = process.env['UV_PYTHON_INSTALL_DIR'] || join(shared, 'uv', 'python');
  const names = minor === undefined ? MINOR_NAMES : [`python${minor}`];
  const onPath = await Promise.all([...names, 'python3'].map((name) => listProgramsOnPath(name)));
  return [
    ...(await listFolders(pyenv, minor ? `${minor}.` : '3.')).map((f) => join(f, 'bin', 'python3')),
    ...(await listFolders(managed, minor ? `cpython-${minor}.` : 'cpython-3.')).map((f) => join(f, 'bin', 'python3')),
    ...onPath.flat(),
    ...names.map((name) => join('/usr/bin', name)),
  ];
}

async function listFolders(folder: string, prefix: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.filter((n) => n.startsWith(prefix)).map((n) => join(folder, n));
}

/**
 * Probes an interpreter. A virtualenv's Python becomes its base Python: the caller has resolved links, and the copy of
 * `venv --copies` has the folder of its base Python in `pyvenv.cfg`.
 */
async function probePython(file: string): Promise<Python | undefined> {
  const python = await runProbe(file);
  const home = python && (await readVirtualenvHome(python.executable));
  if (home === undefined) return python;
  const base = await realpath(join(home, `python${minorVersion(python?.version ?? '')}`)).catch(() => undefined);
  return base === undefined ? undefined : runProbe(base);
}

/** The folder of the base Python; undefined: the interpreter is not a virtualenv's. */
async function readVirtualenvHome(executable: string): Promise<string | undefined> {
  const text = await readFile(join(dirname(dirname(executable)), 'pyvenv.cfg'), 'utf8').catch(() => '');
  const settings = text.split('\n').map((line) => line.split('='));
  const [, ...home] = settings.find(([name]) => name?.trim() === 'home') ?? [];
  return home.length === 0 ? undefined : home.join('=').trim();
}

async function runProbe(file: string): Promise<Python | undefined> {
  const run = await runProcess(file, ['-I', '-S', '-c', PROBE_SCRIPT], { limitSeconds: 10 }).catch(() => undefined);
  const [executable, version] = run?.stdout.trim().split('\t') ?? [];
  return run?.code === 0 && executable && version ? { executable, version } : undefined;
}

function comparePatches(a: string, b: string): number {
  const [x, y] = [a, b].map((v) => v.split('.').map(Number)) as [number[], number[]];
  return (x[0] ?? 0) - (y[0] ?? 0) || (x[1] ?? 0) - (y[1] ?? 0) || (x[2] ?? 0) - (y[2] ?? 0);
}
