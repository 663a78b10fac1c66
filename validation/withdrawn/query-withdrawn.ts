import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findNewestPython } from '../../python/find-python.ts';
import type { PythonOptions } from '../../python/find-uv.ts';
import { WHEELS_ONLY } from '../../python/install-packages.ts';
import { normalizePackageName } from '../../python/normalize-package-name.ts';
import { runUv } from '../../python/run-uv.ts';
import type { LockedPackage, LockedVirtualenv } from '../../schemas/lock/lock.ts';
import { makeTemporaryFolder } from '../../system/temporary-folder.ts';
import { parseYanked, separateNotes, type YankedPackage } from '../requirements/parse-yanked.ts';

/** A locked version that its authors have withdrawn. */
export interface WithdrawnPackage extends YankedPackage {
  /** The index has no file of the version any more, so a new machine cannot install it. */
  readonly isGone: boolean;
}

export interface WithdrawnPackages {
  readonly packages: readonly WithdrawnPackage[];
  /** Locked packages whose state was not found. */
  readonly unchecked: number;
}

/** Until the index has answered once. */
const FIRST_LIMIT_SECONDS = 15;
const LIMIT_SECONDS = 60;
/** Deleted versions that are named. Each needs another run of uv, which names only one. */
const MAX_GONE = 6;
/** How the other packages are queried after that: a group with another deleted version says nothing. */
const GROUP_SIZE = 10;
/** These would hide versions of the index, or those that were deleted. */
const HIDING_VARIABLES = ['UV_EXCLUDE_NEWER', 'UV_EXCLUDE_NEWER_PACKAGE'];

/** The packages of a lock that an index has: not one of an address, nor one whose wheel Davit has built. */
export function listQueried(packages: readonly LockedPackage[]): readonly LockedPackage[] {
  return packages.filter((p) => p.source === undefined && p.built === undefined);
}

/**
 * Queries the package index for the pins of a virtualenv, one page for each package. Undefined: its answer, or uv's,
 * says nothing about them. Outage: it does not answer.
 */
export async function queryWithdrawn(
  virtualenv: LockedVirtualenv,
  options: PythonOptions,
): Promise<WithdrawnPackages | 'outage' | undefined> {
  const { python, platform } = virtualenv;
  const interpreter = await findNewestPython(python);
  if (!interpreter) return undefined;
  const folder = makeTemporaryFolder('withdrawn');
  const target = ['--python', interpreter.executable, '--python-version', python, '--python-platform', platform];
  const plain = ['--no-deps', '--no-header', '--no-annotate', '--color', 'never', ...WHEELS_ONLY];
  let limitSeconds = FIRST_LIMIT_SECONDS;
  const query: QueryPins = async (asked) => {
    const input = join(folder, 'in.txt');
    await writeFile(input, asked.map((p) => `${p.name}==${p.version}\n`).join(''));
    const command = ['pip', 'compile', ...plain, ...target, input];
    const run = await runUv(command, { ...options, limitSeconds, without: HIDING_VARIABLES });
    limitSeconds = LIMIT_SECONDS;
    const { notes, rest } = separateNotes(run.stderr);
    if (run.code === 0) return { yanked: parseYanked(notes).map((p) => ({ ...p, isGone: false })) };
    if (run.timedOut || isOutage(rest)) return 'outage';
    const gone = findMissing(rest, asked);
    return gone && { gone: { ...gone, reason: undefined, isGone: true } };
  };
  try {
    return await queryAll(listQueried(virtualenv.packages), query);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

type QueryPins = (
  asked: readonly LockedPackage[],
) => Promise<
  { readonly yanked: readonly WithdrawnPackage[] } | { readonly gone: WithdrawnPackage } | 'outage' | undefined
>;

/** Takes the deleted versions out one by one, and then queries the others in groups. */
export async function queryAll(
  packages: readonly LockedPackage[],
  query: QueryPins,
): Promise<WithdrawnPackages | 'outage' | undefined> {
  const gone: WithdrawnPackage[] = [];
  const rest = () => packages.filter((p) => !gone.some((g) => g.name === p.name));
  while (gone.length < MAX_GONE) {
    if (rest().length === 0) return { packages: sortByName(gone), unchecked: 0 };
    const found = await query(rest());
    if (found === undefined || found === 'outage') return found;
    if ('yanked' in found) return { packages: sortByName([...found.yanked, ...gone]), unchecked: 0 };
    gone.push(found.gone);
  }
  const yanked: WithdrawnPackage[] = [];
  let unchecked = 0;
  for (let from = 0; from < rest().length; from += GROUP_SIZE) {
    const group = rest().slice(from, from + GROUP_SIZE);
    const found = await query(group);
    if (found === 'outage') return found;
    if (found && 'yanked' in found) yanked.push(...found.yanked);
    else unchecked += group.length;
  }
  return { packages: sortByName([...yanked, ...gone]), unchecked };
}

/** uv's warnings have no order. */
function sortByName(found: readonly WithdrawnPackage[]): readonly WithdrawnPackage[] {
  return [...found].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** What uv says of an index that cannot be reached, answers with a 5xx status, or refuses the credentials. */
function isOutage(stderr: string): boolean {
  return /Failed to fetch|Request failed|error sending request|could not be queried|network connectivity is disabled/i.test(
    stderr.replace(/\s+/g, ' '),
  );
}

/** `Because there is no version of numpy==2.4.0 and you require …`, `Because numpy was not found in the package registry` */
function findMissing(
  stderr: string,
  asked: readonly LockedPackage[],
): Pick<YankedPackage, 'name' | 'version'> | undefined {
  const text = stderr.replace(/\s+/g, ' ');
  const found =
    /there is no version of ([A-Za-z0-9._-]+)==/.exec(text) ??
    /Because ([A-Za-z0-9._-]+) was not found in the package registry/.exec(text);
  const name = normalizePackageName(found?.[1] ?? '');
  const missing = asked.find((p) => p.name === name);
  return missing && { name, version: missing.version };
}
