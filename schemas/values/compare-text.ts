import { isRecord } from './is-record.ts';

/** A difference at one path of a plan or a report. */
export interface Difference {
  readonly path: string;
  readonly old?: unknown;
  readonly new?: unknown;
}

/** Show text up to this length in full. */
const SHORT_CHARACTERS = 60;
/** Number of unchanged characters to show before the first difference. */
const CONTEXT_CHARACTERS = 16;
/** Do not split differences that are nested deeper than this. */
const MAX_DEPTH = 16;

/**
 * Splits a difference between long texts, such as files of a ConfigMap, into JSON fields, lines, or a differing end.
 */
export function compareText(difference: Difference): readonly Difference[] {
  const { path, old: before, new: after } = difference;
  if (typeof before !== 'string' || typeof after !== 'string') return [difference];
  if (Math.max(before.length, after.length) <= SHORT_CHARACTERS) return [difference];
  const file = path.replace(/^data\["([^"]+)"\]$/, '$1');
  const fields = [parseJson(before), parseJson(after)];
  if (fields.every(isRecord)) return compareFields(fields[0], fields[1]).map(prefixPath(file));
  if (before.includes('\n') || after.includes('\n')) return compareLines(before, after).map(prefixPath(file));
  return [cutCommonStart(difference)];
}

function prefixPath(file: string) {
  return (difference: Difference): Difference => ({ ...difference, path: `${file} › ${difference.path}` });
}

function compareFields(before: unknown, after: unknown, path = '', depth = 0): readonly Difference[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  const whole = [{ path, old: before, new: after }];
  if (depth === MAX_DEPTH) return whole;
  if (Array.isArray(before) && Array.isArray(after)) {
    const longer = before.length > after.length ? before : after;
    return longer.flatMap((_, i) => compareFields(before[i], after[i], `${path}[${i}]`, depth + 1));
  }
  if (!isRecord(before) || !isRecord(after)) return whole;
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return keys.flatMap((key) => compareFields(before[key], after[key], path === '' ? key : `${path}.${key}`, depth + 1));
}

/** Compares the lines between the common start and the common end. */
function compareLines(before: string, after: string): readonly Difference[] {
  const [old, fresh] = [before.split('\n'), after.split('\n')];
  const start = countCommonStart(old, fresh);
  const end = countCommonStart(old.slice(start).reverse(), fresh.slice(start).reverse());
  const count = Math.max(old.length, fresh.length) - start - end;
  const lineAt = (lines: readonly string[], i: number) => (i < lines.length - end ? lines[i] : undefined);
  return Array.from({ length: count }, (_, i) => start + i)
    .map((i) => ({ path: `line ${i + 1}`, old: lineAt(old, i), new: lineAt(fresh, i) }))
    .filter((d) => d.old !== d.new)
    .map(cutCommonStart);
}

/** Cuts most of the common start of two long texts. */
function cutCommonStart(difference: Difference): Difference {
  const { old, new: fresh } = difference;
  if (typeof old !== 'string' || typeof fresh !== 'string') return difference;
  const same = countCommonStart(old, fresh) - CONTEXT_CHARACTERS;
  if (same <= 0 || Math.max(old.length, fresh.length) <= SHORT_CHARACTERS) return difference;
  return { ...difference, old: `…${old.slice(same)}`, new: `…${fresh.slice(same)}` };
}

/** Counts the items or characters that both start with. */
function countCommonStart(a: ArrayLike<string>, b: ArrayLike<string>): number {
  let count = 0;
  while (count < Math.min(a.length, b.length) && a[count] === b[count]) count += 1;
  return count;
}

/** Returns undefined also for JSON that is nested too deeply to serialise again. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(JSON.stringify(JSON.parse(text)));
  } catch {
    return undefined;
  }
}
