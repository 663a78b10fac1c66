import { locateVirtualenv, makeVirtualenvRequest, type Virtualenv } from '../../python/ensure-virtualenv.ts';
import type { PythonOptions } from '../../python/find-uv.ts';
import type { Lock } from '../../schemas/lock/lock.ts';
import type { NetworkAddress } from '../../schemas/values/network-address.ts';
import type { Comparison, PackageComparison } from '../../schemas/report/comparison.ts';
import { readIgnoredAdvisories } from '../advisories/check-advisories.ts';
import { NO_ANSWER, type RegistryCard } from '../card/read-registry-card.ts';
import { openAdvisories } from '../advisories/database.ts';
import { findVulnerabilities } from '../advisories/advisory.ts';
import type { ComparisonPolicy } from '../policy.ts';
import type { Subject } from '../subject.ts';
import { comparePackages, findLockedSide, type LockedSide } from './compare-packages.ts';
import { compareSignatures } from './compare-signatures.ts';
import { measurePackages } from './measure-packages.ts';
import { compareModelCards, type Sides } from './read-model-card.ts';
import { makeMissing, type MissingComparison, predictSideBySide, type SideBySide } from './predict-side-by-side.ts';

/** One version of a served entity. */
export interface ComparedVersion {
  readonly subject: Subject;
  readonly lock: Lock;
  /** Finds the folder with exactly the model of the lock. Throws an error that says why there is none. */
  readonly findModel: () => Promise<string>;
  /** The services that it may reach. */
  readonly services: readonly NetworkAddress[];
  /** Queries the registry that has the version. Undefined: none has it. */
  readonly readRegistryCard?: (folder: string) => Promise<RegistryCard | undefined>;
}

export interface CompareOptions extends PythonOptions {
  readonly policy: ComparisonPolicy;
  /** The reason in `davit.breaking`, if this change brings it. */
  readonly breaking: string | undefined;
  /** Whether the new version is proved. Otherwise nothing is run. */
  readonly isProven: boolean;
  readonly withoutSandbox?: boolean | undefined;
}

export interface ComparedEntity {
  readonly comparison: Comparison;
  /** Why the predictions were not compared. */
  readonly missing: MissingComparison | null;
}

/** A report has limits, and a name in a lock has none. */
const LABEL_CHARACTERS = 500;

/** Compares a served entity with the one that it replaces. Only an interruption is thrown. */
export async function compareEntity(
  old: ComparedVersion,
  now: ComparedVersion,
  options: CompareOptions,
): Promise<ComparedEntity | undefined> {
  const [before, after] = [old, now].map(({ lock, subject }) => findLockedSide(lock, subject.entity.name));
  if (!before || !after) return undefined;
  const { breaking, isProven, signal } = options;
  const folders = await findFolders(old, now, signal);
  const runBoth = async (): Promise<SideBySide> => {
    if ('missing' in folders) return folders;
    if (!isProven)
      return { predictions: null, missing: { note: `${now.subject.label} is not proved`, cause: 'unproved' } };
    const runnable = { old: { ...old, locked: before.entity, folder: folders.old }, new: { ...now, locked: after.entity, folder: folders.new } }; // prettier-ignore
    return predictSideBySide(runnable.old, runnable.new, options);
  };
  const { predictions, missing } = await runBoth();
  const cards = 'missing' in folders ? undefined : await readCards(old, now, folders);
  const comparison: Comparison = {
    entity: old.subject.entity.name,
    model: old.subject.label.slice(0, LABEL_CHARACTERS),
    breaking: breaking ?? null,
    signature: [...compareSignatures(before.entity.signature, after.entity.signature)],
    packages: {
      ...comparePackages(before, after),
      bytes: await measureBoth([old, now], options),
      advisories: await compareAdvisories(before, after),
    },
    predictions,
    note: missing?.note ?? null,
    card: cards?.card ?? [],
    ...(cards?.pages && { pages: cards.pages }),
  };
  return { comparison, missing };
}

async function readCards(
  old: ComparedVersion,
  now: ComparedVersion,
  folders: Sides<string>,
): Promise<Pick<Comparison, 'card' | 'pages'>> {
  // A model of an older commit may have the name of another one in the registry, so the new one decides.
  const after = await now.readRegistryCard?.(folders.new);
  // A registry that is down costs each query its whole time limit, so it is queried once.
  const before = after === NO_ANSWER ? NO_ANSWER : after && (await old.readRegistryCard?.(folders.old));
  const nothing = new Map<string, string>();
  const card = await compareModelCards(folders, { old: before?.fields ?? nothing, new: after?.fields ?? nothing });
  const none = { model: null, run: null };
  return { card, ...(after && { pages: { old: before?.pages ?? none, new: after.pages } }) };
}

type Folders = { readonly old: string; readonly new: string } | ReturnType<typeof makeMissing>;

async function findFolders(old: ComparedVersion, now: ComparedVersion, signal?: AbortSignal): Promise<Folders> {
  let about = old;
  try {
    const folder = await old.findModel();
    about = now;
    return { old: folder, new: await now.findModel() };
  } catch (e) {
    signal?.throwIfAborted();
    return makeMissing(`the model ${about.subject.label} cannot be read`, e);
  }
}

async function measureBoth(
  versions: readonly ComparedVersion[],
  options: PythonOptions,
): Promise<PackageComparison['bytes']> {
  const sizes = await Promise.all(
    versions.map(async ({ lock, subject }) => {
      const found = await locate(lock, subject, options);
      return found && measurePackages(found);
    }),
  );
  const [old, now] = sizes;
  return old === undefined || now === undefined ? null : { old, new: now };
}

/** Undefined also where this machine has no Python for it. */
async function locate(lock: Lock, { entity }: Subject, options: PythonOptions): Promise<Virtualenv | undefined> {
  try {
    return await locateVirtualenv(makeVirtualenvRequest(lock, entity.name), options);
  } catch {
    options.signal?.throwIfAborted();
    return undefined;
  }
}

const MAX_ADVISORIES = 200;

/** Compares with the database of advisories in the cache, and downloads none. */
async function compareAdvisories(old: LockedSide, now: LockedSide): Promise<PackageComparison['advisories']> {
  const database = await openAdvisories();
  if (!database) return null;
  const ignored = readIgnoredAdvisories();
  const list = ({ virtualenv }: LockedSide) =>
    virtualenv.packages.flatMap(({ name, version }) =>
      findVulnerabilities(version, database.find(name))
        .filter(({ id, aliases }) => ![id, ...aliases].some((i) => ignored.has(i)))
        .map(({ id, level }) => ({ name, version, id, level })),
    );
  const [before, after] = [list(old), list(now)];
  type Match = (typeof before)[number];
  const without = (all: readonly Match[], others: readonly Match[]) =>
    all.filter((a) => !others.some((o) => o.name === a.name && o.id === a.id)).slice(0, MAX_ADVISORIES);
  return { came: without(after, before), went: without(before, after) };
}
