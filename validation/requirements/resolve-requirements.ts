import { readFile, rm, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseLockedRequirements } from '../../python/ensure-front-virtualenv.ts';
import { findNewestPython } from '../../python/find-python.ts';
import { allowSources, renderEmptyMetadata } from '../../python/wheels/find-source.ts';
import type { PythonOptions } from '../../python/find-uv.ts';
import { WHEELS_ONLY } from '../../python/install-packages.ts';
import { runUv } from '../../python/run-uv.ts';
import { listUndeclaredRequirements } from '../../python/undeclared-requirements.ts';
import type { LockedPackage } from '../../schemas/lock/lock.ts';
import type { ProcessResult } from '../../system/run-process.ts';
import { makeTemporaryFolder } from '../../system/temporary-folder.ts';
import { explainResolution, type ResolutionExplanation, shorten } from './failures/explain-resolution.ts';
import { keepRequiredHashes } from './keep-hashes.ts';
import type { Requirement } from './parse-requirements.ts';
import { parseYanked, separateNotes, type YankedPackage } from './parse-yanked.ts';
import { explainUnreadableWheel } from './explain-wheel.ts';
import { keepsPreferences, listPreferences } from './preferences.ts';
import { readInstalledWheel, renderMetadataSettings, type UnusableWheel, type WheelMetadata } from './read-wheel.ts';
import type { ResolutionRequest } from './resolution-request.ts';

export interface Resolution {
  /** Undefined if the requirements cannot be satisfied. */
  readonly packages: readonly LockedPackage[] | undefined;
  readonly explanation: ResolutionExplanation | undefined;
  /** Packages whose version was withdrawn by its authors, as the index says. */
  readonly yanked: readonly YankedPackage[];
}

const LIMIT_SECONDS = 300;
const OUTAGE_MESSAGE =
  /network was disabled|failed to fetch|error sending request|dns error|request failed|connection refused|timed? ?out|status (?:5\d\d|401|403)|401 Unauthorized/i;

/** Resolves every package with its hashes, wheels only, or explains the failure. Throws if the index is unreachable. */
export async function resolveRequirements(request: ResolutionRequest, options: PythonOptions): Promise<Resolution> {
  const python = await findNewestPython(request.python);
  if (!python) throw new Error('Cannot resolve requirements: there is no Python on this machine, expected python3');
  const folder = makeTemporaryFolder('resolve');
  try {
    const context = { folder, python: python.executable, request, options };
    const wheels = await readWheels(context);
    if ('explanation' in wheels) return makeFailure(wheels.explanation);
    const compile = (lines: readonly string[], more: readonly string[] = [], sources: readonly string[] = []) => {
      const settings = `${wheels.settings}\n${renderEmptyMetadata(sources)}`;
      return compileWithUndeclared({ ...context, settings }, lines, [...more, ...allowSources(sources)]);
    };
    const lines = request.requirements.map((r) => renderRequirement(r, request.modelFolder));
    const offline = request.preferences && (await compile(lines, ['--offline']));
    const kept = offline?.code === 0 ? readPackages(offline.stdout, request.modelFolder) : undefined;
    if (offline && kept && keepsPreferences(kept, request)) return makeResolution(kept, request, offline);
    const run = await compile(lines);
    if (run.code === 0) return makeResolution(readPackages(run.stdout, request.modelFolder), request, run);
    if (OUTAGE_MESSAGE.test(run.stderr)) throw makeOutageError(run);
    return makeFailure(await explainResolution(request, run.stderr, compile));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function makeFailure(explanation: ResolutionExplanation): Resolution {
  return { packages: undefined, explanation, yanked: [] };
}

function makeResolution(
  packages: readonly LockedPackage[],
  { requirements, built = [] }: ResolutionRequest,
  { notes }: CompileRun,
): Resolution {
  const kept = keepRequiredHashes(
    packages,
    requirements,
    built.map(({ name }) => name),
  );
  if ('explanation' in kept) return makeFailure(kept.explanation);
  return { packages: kept.packages, explanation: undefined, yanked: parseYanked(notes) };
}

interface CompileRun extends ProcessResult {
  /** uv's warnings, which are not part of a failure. */
  readonly notes: string;
}

interface CompileContext {
  readonly folder: string;
  readonly python: string;
  readonly request: ResolutionRequest;
  readonly options: PythonOptions;
  /** uv's, with the metadata of the wheels. */
  readonly settings?: string;
}

/**
 * Reads what the wheels that are no packages of an index require. uv gets that as a setting, because it would follow
 * every address in a wheel, and a server could send another wheel the next time.
 */
async function readWheels(
  context: CompileContext,
): Promise<{ readonly settings: string } | { readonly explanation: ResolutionExplanation }> {
  const wheels: WheelMetadata[] = [];
  for (const requirement of context.request.requirements) {
    const { name } = requirement;
    const read = requirement.source === undefined ? undefined : await readWheel(context, requirement);
    if (read === undefined) continue;
    if ('why' in read)
      return {
        explanation: { ...read, why: read.isWhole ? read.why : `in the wheel of ${name}, ${read.why}`, about: name },
      };
    wheels.push(read);
  }
  return { settings: renderMetadataSettings([...wheels, ...(context.request.built ?? [])]) };
}

async function readWheel(
  { folder, python, request, options }: CompileContext,
  requirement: Requirement,
): Promise<WheelMetadata | UnusableWheel> {
  const [input, target] = [join(folder, 'wheel.txt'), join(folder, 'wheel')];
  const source = renderSource(requirement.source ?? '', request.modelFolder);
  await writeFile(input, `${requirement.name} @ ${source}\n`);
  const install = [
    'pip',
    'install',
    '--quiet',
    '--color',
    'never',
    '--no-deps',
    ...WHEELS_ONLY,
    '--no-compile-bytecode',
  ];
  const platform = ['--python-version', request.python, '--python-platform', request.platform];
  const args = [...install, '--python', python, ...platform, '--target', target, '-r', input];
  const run = await runUv(args, { ...options, limitSeconds: LIMIT_SECONDS });
  if (run.code === 0) return readInstalledWheel(target);
  return explainUnreadableWheel(requirement, run.stderr, { why: shorten(run.stderr), python: request.python });
}

/** Also resolves what the packages import without requiring it, as far as it is available. */
async function compileWithUndeclared(
  context: CompileContext,
  lines: readonly string[],
  more: readonly string[],
): Promise<CompileRun> {
  const run = await compileLines(context, lines, more);
  const { modelFolder } = context.request;
  const undeclared = run.code === 0 ? listUndeclaredRequirements(readPackages(run.stdout, modelFolder)) : [];
  if (undeclared.length === 0) return run;
  const whole = await compileLines(context, [...lines, ...undeclared], more);
  return whole.code === 0 || more.includes('--offline') ? whole : run;
}

async function compileLines(
  { folder, python, request, options, settings = '' }: CompileContext,
  lines: readonly string[],
  more: readonly string[],
): Promise<CompileRun> {
  const [input, bounds, output] = ['in.txt', 'bounds.txt', 'out.txt'].map((f) => join(folder, f)) as [
    string,
    string,
    string,
  ];
  await writeFile(input, `${lines.join('\n')}\n`);
  await writeFile(bounds, request.constraints.map((c) => `${c.text}\n`).join(''));
  // uv keeps the versions in an existing output file if they still satisfy the requirements.
  const preferred = [...listPreferences(request)].map(([name, version]) => `${name}==${version}\n`);
  await writeFile(output, preferred.join(''));
  const args = [
    'pip',
    'compile',
    '--no-header',
    '--no-annotate',
    '--generate-hashes',
    '--color',
    'never',
    ...WHEELS_ONLY,
    ...allowSources((request.built ?? []).map(({ name }) => name)),
  ];
  const target = ['--python', python, '--python-version', request.python, '--python-platform', request.platform];
  const files = ['--constraints', bounds, '--output-file', output, input];
  const run = await runUv([...args, ...target, ...more, ...files], {
    ...options,
    limitSeconds: LIMIT_SECONDS,
    settings: { folder: join(folder, 'settings'), text: settings },
  });
  const { notes, rest } = separateNotes(run.stderr);
  return { ...run, stderr: rest, notes, ...(run.code === 0 && { stdout: await readFile(output, 'utf8') }) };
}

/** With the extras and the marker. */
function renderRequirement({ text, source }: Requirement, modelFolder: string): string {
  if (source === undefined || isAddress(source)) return text;
  return text.replace(` @ ${source}`, () => ` @ ${renderSource(source, modelFolder)}`);
}

function renderSource(source: string, modelFolder: string): string {
  if (isAddress(source)) return source;
  return pathToFileURL(resolve(modelFolder, source)).href.replaceAll('$', '%24'); // uv expands variables
}

function isAddress(source: string): boolean {
  return /^https?:/.test(source);
}

function readPackages(text: string, modelFolder: string): readonly LockedPackage[] {
  return parseLockedRequirements(text).map((p) => {
    if (p.source === undefined) return p;
    const source = p.source.startsWith('file:') ? relative(modelFolder, fileURLToPath(p.source)) : p.source;
    return { ...p, source, version: parseWheelVersion(source) };
  });
}

/** `code/helper-1.0-py3-none-any.whl` → `1.0` */
function parseWheelVersion(source: string): string {
  return decodeURIComponent(source.split(/[?#]/)[0]?.split('/').at(-1) ?? '').split('-')[1] ?? '';
}

/** Omits addresses, because an index URL can contain credentials. */
function makeOutageError({ stderr, timedOut }: ProcessResult): Error {
  const causes = stderr
    .split('\n')
    .filter((l) => !/https?:/.test(l))
    .map((l) => l.replace(/^\s*(error|cause):\s*/, '').trim());
  if (stderr.includes('network was disabled'))
    return new Error(
      'Cannot query the package index: UV_OFFLINE is set, and the cache does not have the answer. Unset UV_OFFLINE and run the same command again',
    );
  const [, refusing] = /\bindex URL \((\S+)\) could not be queried/.exec(stderr.replaceAll(/\s+/g, ' ')) ?? [];
  if (refusing !== undefined)
    return new Error(
      `Cannot query the package index${nameHost(refusing)}: it answers 401 Unauthorized. Set its credentials where Davit runs (docs/models.md, "Private packages"), and run the same command again`,
    );
  const why = timedOut ? `uv was stopped after ${LIMIT_SECONDS} s` : causes.filter(Boolean).slice(-2).join(', ');
  return new Error(
    `Cannot reach the package index: ${why}. Check the network, or UV_INDEX and its credentials, and run the same command again`,
  );
}

function nameHost(address: string): string {
  return URL.canParse(address) ? ` ${new URL(address).host}` : '';
}
