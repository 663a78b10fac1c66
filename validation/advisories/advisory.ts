import { z } from 'zod';
import { compareVersions, parseVersion } from '../../python/compare-versions.ts';

export const LEVELS = ['low', 'moderate', 'high', 'critical'] as const;
export type Level = (typeof LEVELS)[number];

const event = z.partialRecord(z.enum(['introduced', 'fixed', 'last_affected', 'limit']), z.string());

/** One record of the OSV format, as far as it is about one package of PyPI. */
export const advisory = z.object({
  id: z.string(),
  aliases: z.array(z.string()),
  level: z.enum(LEVELS).nullable(),
  summary: z.string(),
  /** Exact versions. */
  versions: z.array(z.string()),
  ranges: z.array(z.array(event)),
});
export type Advisory = z.infer<typeof advisory>;

/** A vulnerability of a version, whatever number of databases has a record of it. */
export interface Vulnerability {
  /** `CVE-2024-1234`, else the id in another database. */
  readonly id: string;
  /** Its other names. */
  readonly aliases: readonly string[];
  /** Null: no record says how severe it is. */
  readonly level: Level | null;
  readonly summary: string;
  /** The oldest later version that has the fix. */
  readonly fixed: string | undefined;
}

type Event = z.infer<typeof event>;

/** Finds the vulnerabilities of a version. Records of the same one are joined by their aliases. */
export function findVulnerabilities(version: string, advisories: readonly Advisory[]): readonly Vulnerability[] {
  const matching = advisories.filter((a) => isAffected(version, a));
  const groups: { ids: Set<string>; records: Advisory[] }[] = [];
  for (const record of matching) {
    const ids = new Set([record.id, ...record.aliases]);
    const same = groups.filter((g) => [...ids].some((id) => g.ids.has(id)));
    for (const group of same) groups.splice(groups.indexOf(group), 1);
    groups.push({
      ids: new Set([...ids, ...same.flatMap((g) => [...g.ids])]),
      records: [record, ...same.flatMap((g) => g.records)],
    });
  }
  return groups
    .map(({ ids, records }) => joinRecords(version, [...ids], records))
    .sort((a, b) => rank(b.level) - rank(a.level) || (a.id < b.id ? -1 : 1));
}

/** The rank of a level. One that nobody has rated counts as high, so that it is not overlooked. */
export function rank(level: Level | null): number {
  return LEVELS.indexOf(level ?? 'high');
}

function joinRecords(version: string, ids: readonly string[], records: readonly Advisory[]): Vulnerability {
  const order = (id: string) => ['CVE-', 'GHSA-', 'PYSEC-', 'MAL-', ''].findIndex((prefix) => id.startsWith(prefix));
  const [id = '', ...aliases] = [...ids].sort((a, b) => order(a) - order(b) || (a < b ? -1 : 1));
  const levels = records.flatMap((r) => r.level ?? []).sort((a, b) => rank(b) - rank(a));
  const fixes = records.flatMap((r) => r.ranges.flat().flatMap((e) => e.fixed ?? []));
  return {
    id,
    aliases,
    level: levels[0] ?? null,
    summary: records.map((r) => r.summary).find((s) => s !== '') ?? '',
    fixed: findOldestAfter(version, fixes),
  };
}

function findOldestAfter(version: string, fixes: readonly string[]): string | undefined {
  const now = parseVersion(version);
  const later = fixes.flatMap((text) => {
    const parsed = parseVersion(text);
    return parsed && (!now || compareVersions(parsed, now) > 0) ? [{ text, parsed }] : [];
  });
  return later.sort((a, b) => compareVersions(a.parsed, b.parsed))[0]?.text;
}

/** Evaluates a record as the OSV format says. A version or range that cannot be compared counts as affected. */
export function isAffected(version: string, { versions, ranges }: Advisory): boolean {
  const parsed = parseVersion(version);
  if (!parsed) return versions.includes(version) || ranges.length > 0;
  const isListed = versions.some((text) => {
    const other = parseVersion(text);
    return other ? compareVersions(other, parsed) === 0 : text === version;
  });
  return isListed || ranges.some((events) => isInRange(parsed, events));
}

/** Where a range begins or ends. */
interface Bound {
  readonly kind: string;
  readonly parsed: 'start' | ReturnType<typeof parseVersion>;
}

type Version = NonNullable<ReturnType<typeof parseVersion>>;

function isInRange(version: Version, events: readonly Event[]): boolean {
  const bounds = events.flatMap((e) =>
    Object.entries(e).map(([kind, text]): Bound => ({ kind, parsed: text === '0' ? 'start' : parseVersion(text) })),
  );
  if (bounds.some((b) => b.parsed === undefined)) return true;
  const at: Bound = { kind: '', parsed: version };
  const begun = newest(bounds.filter((b) => b.kind === 'introduced' && compareBounds(b, at) <= 0));
  const ended = newest(
    bounds.filter((b) =>
      b.kind === 'last_affected' ? compareBounds(b, at) < 0 : b.kind !== 'introduced' && compareBounds(b, at) <= 0,
    ),
  );
  // A range may begin again after a fix.
  return begun !== undefined && (ended === undefined || compareBounds(ended, begun) < 0);
}

function newest(bounds: readonly Bound[]): Bound | undefined {
  return [...bounds].sort(compareBounds).at(-1);
}

function compareBounds({ parsed: a }: Bound, { parsed: b }: Bound): number {
  if (a === 'start' || a === undefined) return b === 'start' || b === undefined ? 0 : -1;
  return b === 'start' || b === undefined ? 1 : compareVersions(a, b);
}
