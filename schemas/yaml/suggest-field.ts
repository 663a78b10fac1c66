import { type Field, WILDCARDS } from './list-fields.ts';
import type { Path } from './parsed-yaml.ts';

/** Suggests a correction for an unknown field: a similar name, its correct location, or the valid names. */
export function suggestField(key: string, path: Path, fields: readonly Field[]): string | undefined {
  const known = fields.filter((f) => f.honoured && f.elsewhere === undefined);
  const here = listFieldsHere(path, fields);
  const intended = findIntendedField(key, path, fields);
  if (intended !== undefined) return `Did you mean "${intended}"?`;
  const other = fields.find((f) => f.elsewhere !== undefined && f.name === key && matches(f.parent, path));
  if (other) return `It belongs to ${other.elsewhere ?? ''}`;
  const elsewhere = known.find((f) => f.name === key);
  if (elsewhere) return `It belongs ${renderParent(elsewhere.parent)}`;
  if (key === '<<') return 'YAML 1.2 has no merge keys: write the fields out';
  return here.length > 0 ? `Valid fields: ${here.join(', ')}` : undefined;
}

/** The field that an unknown field means: a similar name, or the only one with the same first or last words. */
export function findIntendedField(key: string, path: Path, fields: readonly Field[]): string | undefined {
  const here = listFieldsHere(path, fields);
  const wanted = key.toLowerCase().replaceAll('-', '_');
  const near = findNearest(wanted, here);
  if (near !== undefined) return near;
  const longer = here.filter((name) => name.startsWith(`${wanted}_`) || name.endsWith(`_${wanted}`));
  return longer.length === 1 ? longer[0] : undefined;
}

function listFieldsHere(path: Path, fields: readonly Field[]): readonly string[] {
  return fields.filter((f) => f.honoured && f.elsewhere === undefined && matches(f.parent, path)).map((f) => f.name);
}

/** The name that differs from a written one by a slip of the fingers. */
export function findNearest(written: string, names: readonly string[]): string | undefined {
  const near = names
    .map((name) => ({ name, edits: countEdits(written.toLowerCase(), name.toLowerCase()) }))
    .sort((a, b) => a.edits - b.edits)[0];
  return near && near.edits <= Math.min(2, Math.floor(written.length / 3)) ? near.name : undefined;
}

function matches(parent: readonly string[], path: Path): boolean {
  return parent.length === path.length && parent.every((step, i) => step === path[i] || WILDCARDS.includes(step));
}

function renderParent(parent: readonly string[]): string {
  return parent.length === 0 ? 'at the top level of the file' : `in ${parent.join('.').replaceAll('.[]', '[]')}`;
}

/** Levenshtein distance between two words. Long texts are no misspelling of a word and count as infinitely far. */
export function countEdits(a: string, b: string): number {
  if (a.length > MAX_WORD || b.length > MAX_WORD) return Infinity;
  const first = Array.from({ length: b.length + 1 }, (_, i) => i);
  const last = Array.from(a).reduce((above, letter) => nextRow(above, letter, b), first);
  return last[b.length] ?? 0;
}

const MAX_WORD = 100;

function nextRow(above: readonly number[], letter: string, b: string): number[] {
  const row = [(above[0] ?? 0) + 1];
  for (const [j, other] of Array.from(b).entries()) {
    const replaced = (above[j] ?? 0) + (letter === other ? 0 : 1);
    row.push(Math.min(replaced, (above[j + 1] ?? 0) + 1, (row[j] ?? 0) + 1));
  }
  return row;
}
