import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseLockedRequirements } from '../python/ensure-front-virtualenv.ts';
import { listPythons } from '../python/find-python.ts';
import { findUv, type PythonOptions } from '../python/find-uv.ts';
import type { LockedPackage } from '../schemas/lock.ts';
import { childEnvironment, type Ran, runProcess } from '../system/run-process.ts';
import { explainResolution, type Explanation } from './explain-resolution.ts';
import type { Requirement } from './parse-requirements.ts';

/** What is to be resolved for one virtualenv. */
export interface ResolutionRequest {
  readonly requirements: readonly Requirement[];
  readonly constraints: readonly Requirement[];
  /** Minor version: `3.11`. */
  readonly python: string;
  /** In uv's words: `x86_64-manylinux_2_28`. */
  readonly platform: string;
  /** Where wheels of the model are. */
  readonly modelFolder: string;
  /** Pins to keep where they still fit. Undefined: the newest of everything, asked of the index. */
  readonly preferences: readonly LockedPackage[] | undefined;
}

export interface Resolution {
  /** Undefined when the requirements cannot be satisfied. */
  readonly packages: readonly LockedPackage[] | undefined;
  readonly explanation: Explanation | undefined;
}

const LIMIT_SECONDS = 300;
const OUTAGE =
  /network was disabled|failed to fetch|error sending request|dns error|request failed|connection refused|timed? ?out|status (?:5\d\d|401|403)/i;

/** Every package with its hashes, wheels only; or a sentence that says why not. Throws when the index cannot be reached. */
export async function resolveRequirements(request: ResolutionRequest, options: PythonOptions): Promise<Resolution> {
  const uv = await findUv(options);
  const python = (await listPythons(request.python)).at(-1) ?? (await listPythons()).at(-1);
  if (!python) throw new Error('Cannot resolve requirements: there is no Python on this machine, expected python3');
  const folder = await mkdtemp(join(tmpdir(), 'davit-resolve-'));
  try {
    const compile = (lines: readonly string[], more: readonly string[] = []) =>
      compileLines({ uv, folder, python: python.executable, request, options }, lines, more);
    const wheels = ['--only-binary', ':all:'];
    const lines = request.requirements.map((r) => renderRequirement(r, request.modelFolder));
    const offline = request.preferences && (await compile(lines, [...wheels, '--offline']));
    const kept = offline?.code === 0 ? readPackages(offline.stdout, request.modelFolder) : undefined;
    if (kept && keepsPins(kept, request.preferences ?? [])) return { packages: kept, explanation: undefined };
    const run = await compile(lines, wheels);
    if (run.code === 0) return { packages: readPackages(run.stdout, request.modelFolder), explanation: undefined };
    if (OUTAGE.test(run.stderr)) throw outage(run);
    return { packages: undefined, explanation: await explainResolution(request, run.stderr, compile) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Offline, uv gives up a pin whose metadata this machine has never seen: then the index is asked whether it still fits. */
function keepsPins(packages: readonly LockedPackage[], pins: readonly LockedPackage[]): boolean {
  const before = new Map(pins.map((p) => [p.name, p.version]));
  return packages.every((p) => (before.get(p.name) ?? p.version) === p.version);
}

interface Compiler {
  readonly uv: string;
  readonly folder: string;
  readonly python: string;
  readonly request: ResolutionRequest;
  readonly options: PythonOptions;
}

async function compileLines(
  { uv, folder, python, request, options }: Compiler,
  lines: readonly string[],
  more: readonly string[],
): Promise<Ran> {
  const [input, bounds, output] = ['in.txt', 'bounds.txt', 'out.txt'].map((f) => join(folder, f)) as [
    string,
    string,
    string,
  ];
  await writeFile(input, `${lines.join('\n')}\n`);
  await writeFile(bounds, request.constraints.map((c) => `${c.text}\n`).join(''));
  // uv keeps the versions that an output file already has where they still fit.
  const kept = (request.preferences ?? []).filter((p) => p.source === undefined);
  await writeFile(output, kept.map((p) => `${p.name}==${p.version}\n`).join(''));
  const args = ['pip', 'compile', '--quiet', '--no-header', '--no-annotate', '--generate-hashes', '--color', 'never'];
  const target = ['--python', python, '--python-version', request.python, '--python-platform', request.platform];
  const files = ['--constraints', bounds, '--output-file', output, input];
  const run = await runProcess(uv, [...args, ...target, ...more, ...files], {
    env: childEnvironment({ UV_NO_PROGRESS: '1' }),
    limitSeconds: LIMIT_SECONDS,
    ...(options.signal && { signal: options.signal }),
  });
  return run.code === 0 ? { ...run, stdout: await readFile(output, 'utf8') } : run;
}

function renderRequirement({ text, name, source, marker }: Requirement, modelFolder: string): string {
  if (source === undefined || /^https?:/.test(source)) return text;
  const place = `${name} @ ${pathToFileURL(resolve(modelFolder, source)).href}`;
  return marker === undefined ? place : `${place} ; ${marker}`;
}

function readPackages(text: string, modelFolder: string): readonly LockedPackage[] {
  return parseLockedRequirements(text).map((p) => {
    if (p.source === undefined) return p;
    const source = p.source.startsWith('file:') ? relative(modelFolder, fileURLToPath(p.source)) : p.source;
    return { ...p, source, version: wheelVersion(source) };
  });
}

/** `code/helper-1.0-py3-none-any.whl` → `1.0` */
function wheelVersion(source: string): string {
  return decodeURIComponent(source.split(/[?#]/)[0]?.split('/').at(-1) ?? '').split('-')[1] ?? '';
}

/** No address in it: an index's may hold credentials. */
function outage({ stderr, timedOut }: Ran): Error {
  const causes = stderr
    .split('\n')
    .filter((l) => !/https?:/.test(l))
    .map((l) => l.replace(/^\s*(error|cause):\s*/, '').trim());
  if (stderr.includes('network was disabled'))
    return new Error(
      'Cannot ask the package index: UV_OFFLINE forbids it, and what it said before does not answer this. Unset UV_OFFLINE, and run the same command again',
    );
  const why = timedOut ? `uv was stopped after ${LIMIT_SECONDS} s` : causes.filter(Boolean).slice(-2).join(', ');
  return new Error(
    `Cannot reach the package index: ${why}. Check the network, or UV_INDEX and its credentials, and run the same command again`,
  );
}
