import { z } from 'zod';
import { type Diagnostic, makeError } from '../../schemas/diagnostic.ts';
import { parseMovingVersion, type RegisteredVersion } from '../../schemas/endpoint/model-reference.ts';
import { SILENT, withProgress } from '../../system/progress.ts';
import type { Subject } from '../subject.ts';
import { explainOrThrow } from './explain-download.ts';
import type { AliasRule, FetchOptions, ResolvedVersion } from './fetched-model.ts';
import { makeDownloadError } from './refuse-download.ts';
import { type DownloadSource, LIMIT_SECONDS, runDownload } from './run-download.ts';
import { parseJson } from '../../schemas/values/parse-json.ts';

/** What the registry says about a version, as registry_versions.py writes it. */
const foundVersion = z.object({
  version: z.string().regex(/^\d{1,18}$/),
  status: z.string(),
  registered: z.string().max(40).nullable(),
  by: z.string().max(100).nullable(),
});
type FoundVersion = z.infer<typeof foundVersion>;

export interface VersionResolution {
  readonly version: string;
  /** Undefined: the file names the version itself. */
  readonly resolved?: ResolvedVersion;
  readonly refused?: Diagnostic;
}

/** Resolves an alias, a stage or `latest` to the number of a version, by the rule of the options. */
export async function resolveVersion(
  subject: Subject,
  { source, wanted }: { readonly source: DownloadSource; readonly wanted: RegisteredVersion },
  options: FetchOptions,
): Promise<VersionResolution> {
  const { version } = wanted;
  const moving = parseMovingVersion(version);
  if (!moving)
    return /^\d+$/.test(version) ? { version } : { version, refused: refuseVersion(subject, source, wanted) };
  const { model } = subject.entity;
  const from = model.uri ?? model.version;
  const locked = findResolved(options.locked, { name: model.name, from });
  if (locked && options.aliases === 'locked') return { version: locked.version, resolved: locked };
  const work = () => runDownload(source, { action: '--find', label: subject.label }, options);
  const run = await withProgress(options.progress ?? SILENT, `Resolving ${subject.label} in the registry`, work);
  const found = run.code === 0 ? parseJson(run.stdout, foundVersion) : undefined;
  if (!found) {
    const failed = { run, wanted, connection: source.connection, limitSeconds: LIMIT_SECONDS['--find'] };
    const why = explainOrThrow(failed, { label: subject.label, uri: source.uri });
    return { version, refused: makeDownloadError(subject, why, source.uri) };
  }
  const report = (before: ResolvedVersion) => reportMove(subject, before, { wanted, found });
  return { version: found.version, ...settleVersion(found.version, { from, locked, rule: options.aliases }, report) };
}

interface LockedVersion {
  /** What the endpoint file says. */
  readonly from: string;
  readonly locked: ResolvedVersion | undefined;
  readonly rule: AliasRule | undefined;
}

/** Compares the registry's version with the locked one. The rule `checked` refuses another one than that. */
export function settleVersion(
  version: string,
  { from, locked, rule }: LockedVersion,
  report: (locked: ResolvedVersion) => Diagnostic,
): { readonly resolved: ResolvedVersion } | { readonly refused: Diagnostic } {
  if (locked?.version === version) return { resolved: locked };
  if (locked && rule === 'checked') return { refused: report(locked) };
  return { resolved: { from, version, at: `${new Date().toISOString().slice(0, 19)}Z` } };
}

/** What the lock says, if it is about the same text for the same model. */
export function findResolved(
  locked: FetchOptions['locked'],
  { name, from }: { readonly name: string; readonly from: string },
): ResolvedVersion | undefined {
  return locked?.name === name && locked.resolved?.from === from ? locked.resolved : undefined;
}

function refuseVersion(subject: Subject, { uri }: DownloadSource, { version }: RegisteredVersion): Diagnostic {
  const why = `"${version}" is not a version of a registry, expected a number or an alias such as "@champion"`;
  return makeDownloadError(subject, { why, hint: 'Write the number, in quotes: "3"', about: 'version' }, uri);
}

/** The lock is stale because an alias, a stage or `latest` means another version now. */
function reportMove(
  { endpoint, entity }: Subject,
  locked: ResolvedVersion,
  { wanted, found }: { readonly wanted: RegisteredVersion; readonly found: FoundVersion },
): Diagnostic {
  const { kind, target } = parseMovingVersion(wanted.version) ?? { kind: 'alias', target: wanted.version };
  const what = kind === 'latest' ? `latest of ${wanted.name}` : `${kind} ${target} of ${wanted.name}`;
  const registered = [
    found.registered === null ? '' : ` on ${renderMinute(found.registered)}`,
    found.by === null ? '' : ` by ${found.by}`,
  ].join('');
  const details = registered === '' ? '' : `, which was registered${registered}`;
  const message = `Cannot use the lock for "${entity.name}": the ${what} moved from version ${locked.version}, resolved on ${renderMinute(locked.at)}, to version ${found.version}${details}`;
  const place = entity.modelPlaces?.version ?? entity.place;
  return makeError('lock-stale', place, message, `Run npx davit lock ${endpoint.name} and review the changes`);
}

/** `2026-11-30T04:20:11Z` → `2026-11-30 04:20 UTC` */
export function renderMinute(time: string): string {
  return `${time.slice(0, 16).replace('T', ' ')} UTC`;
}
