import { type Diagnostic, makeError, makeWarning } from '../../schemas/diagnostic.ts';
import type { LockedPackage } from '../../schemas/lock/lock.ts';
import { pluralize } from '../../schemas/values/pluralize.ts';
import type { PythonOptions } from '../../python/find-uv.ts';
import { cacheFolder } from '../../system/cache.ts';
import type { ResolvedPolicy } from '../policy.ts';
import type { Subject } from '../subject.ts';
import { findVulnerabilities, type Level, rank, type Vulnerability } from './advisory.ts';
import { type AdvisoryDatabase, openAdvisories, refreshAdvisories } from './database.ts';
import { readErrorMessage } from '../../schemas/values/read-error-message.ts';

const IGNORED_VARIABLE = 'DAVIT_ADVISORIES_IGNORED';
const FRESH_HOURS = 24;
const STALE_HOURS = 24 * 7;

/** What to do about vulnerabilities. */
interface AdvisoryPolicy {
  /** Vulnerabilities from this level on are errors. Undefined: all are warnings. */
  readonly errorsFrom: Level | undefined;
  /** Whether there is a policy. Then a missing database is an error or a warning too. */
  readonly isSet: boolean;
  readonly ignored: ReadonlySet<string>;
}

/** The vulnerabilities that a team has accepted are named by the environment and by no file of the checkout. */
function makeAdvisoryPolicy({ vulnerabilities: word }: Pick<ResolvedPolicy, 'vulnerabilities'>): AdvisoryPolicy {
  const errorsFrom = word === 'error' ? 'low' : word === 'warning' || word === 'ignore' ? undefined : word;
  return { errorsFrom, isSet: word !== undefined, ignored: readIgnoredAdvisories() };
}

/** The ids of accepted vulnerabilities. */
export function readIgnoredAdvisories(): ReadonlySet<string> {
  return new Set((process.env[IGNORED_VARIABLE] ?? '').split(/[\s,]+/).filter(Boolean));
}

export interface AdvisoryCheck {
  /** One sentence for people: what was compared with what. */
  readonly summary: string;
  readonly diagnostics: readonly Diagnostic[];
}

export interface AdvisoryOptions extends PythonOptions {
  readonly policy: Pick<ResolvedPolicy, 'vulnerabilities'>;
  /** Whether a review has compared the packages. Then a missing database is a warning under every policy. */
  readonly isReviewed?: boolean;
}

/** Compares the packages of a lock with the database in the cache. Says so if there is none. */
export async function checkAdvisories(
  subject: Subject,
  packages: readonly LockedPackage[],
  options: AdvisoryOptions,
): Promise<AdvisoryCheck> {
  if (options.policy.vulnerabilities === 'ignore')
    return { summary: 'vulnerabilities not checked: the policy ignores them', diagnostics: [] };
  const policy = makeAdvisoryPolicy(options.policy);
  const database = await openFreshAdvisories(policy, options);
  if (!database) return reportMissingDatabase(subject, policy, options.isReviewed);
  const all = listWithBuilds(packages);
  const found = all.flatMap(({ name, version }) =>
    findVulnerabilities(version, database.find(name)).map((vulnerability) => ({ name, version, vulnerability })),
  );
  const relevant = found.filter(
    ({ vulnerability: { id, aliases } }) => ![id, ...aliases].some((i) => policy.ignored.has(i)),
  );
  const ignored = found.length - relevant.length;
  const age = database.ageHours > STALE_HOURS ? `, which is ${Math.floor(database.ageHours / 24)} days old` : '';
  const summary = `${relevant.length} known ${relevant.length === 1 ? 'vulnerability' : 'vulnerabilities'} in ${pluralize(all.length, 'package')} (advisories of ${database.date}${age}${ignored > 0 ? `, ${ignored} ignored` : ''})`;
  return { summary, diagnostics: relevant.map((f) => describe(subject, f, policy)) };
}

/** Also the packages that the wheels of others are built with, because their code runs too. Each version once. */
function listWithBuilds(packages: readonly LockedPackage[]): readonly Pick<LockedPackage, 'name' | 'version'>[] {
  const all = packages.flatMap((each) => [each, ...(each.built?.with ?? [])]);
  return [...new Map(all.map((each) => [`${each.name}==${each.version}`, each])).values()];
}

/** A policy asks for a database of today. Without a policy, no validation downloads anything. */
async function openFreshAdvisories(
  policy: AdvisoryPolicy,
  options: PythonOptions,
): Promise<AdvisoryDatabase | undefined> {
  const database = await openAdvisories();
  if (!policy.isSet || (database && database.ageHours < FRESH_HOURS)) return database;
  await refreshOnce(options);
  return openAdvisories();
}

/** The download of this process, by the folder that it goes to. */
const downloads = new Map<string, Promise<void>>();

/** Many endpoints do not each wait for a server that does not answer. */
function refreshOnce(options: PythonOptions): Promise<void> {
  const folder = cacheFolder('advisories');
  const started = downloads.get(folder);
  if (started) return started;
  const download = refreshAdvisories(undefined, options).catch((e: unknown) => {
    if (options.signal?.aborted) downloads.delete(folder); // it was stopped and has not failed
    options.progress?.say(readErrorMessage(e));
  });
  downloads.set(folder, download);
  return download;
}

function reportMissingDatabase(
  { entity, label }: Subject,
  { isSet, errorsFrom }: AdvisoryPolicy,
  isReviewed = false,
): AdvisoryCheck {
  const summary = 'vulnerabilities not checked: there is no database of advisories';
  if (!isSet) return { summary: `${summary} (npx davit audit downloads one)`, diagnostics: [] };
  const make = errorsFrom === undefined || isReviewed ? makeWarning : makeError;
  const message = `Cannot check the packages of ${label} for vulnerabilities: there is no database of advisories`;
  const hint = 'Run npx davit audit where there is internet, or npx davit audit --database FILE';
  return { summary, diagnostics: [make('advisories-missing', entity.place, message, hint)] };
}

function describe(
  { entity, label, endpoint, alone }: Subject,
  found: { readonly name: string; readonly version: string; readonly vulnerability: Vulnerability },
  { errorsFrom }: AdvisoryPolicy,
): Diagnostic {
  const { id, aliases, level, summary, fixed } = found.vulnerability;
  const isError = errorsFrom !== undefined && rank(level) >= rank(errorsFrom);
  const others = aliases.length > 0 ? ` (${aliases.join(', ')})` : '';
  const about = summary === '' ? '' : `: ${summary}`;
  const message = `Cannot trust ${found.name} ${found.version} of ${label}: ${id}${others}, severity ${level ?? 'unknown'}${about}`;
  const upgrade = alone
    ? 'Raise the requirement'
    : `Raise the requirement, or run npx davit lock --upgrade ${endpoint.name}`;
  const hint = fixed === undefined ? 'No version has a fix yet' : `${upgrade}: ${found.name} ${fixed} has the fix`;
  return (isError ? makeError : makeWarning)('vulnerable-package', entity.place, message, hint);
}
