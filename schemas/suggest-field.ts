import { type Field, WILD } from './list-fields.ts';
import type { Path } from './parse-yaml.ts';

/** What to write instead of a field that does not exist in a map: the one that was meant, where it belongs, or what there is. */
export function suggestField(key: string, path: Path, fields: readonly Field[]): string | undefined {
  const here = fields.filter((f) => f.honoured && matches(f.parent, path)).map((f) => f.name);
  const wanted = key.toLowerCase().replaceAll('-', '_');
  const near = here.find((name) => distance(wanted, name) <= Math.min(2, Math.floor(key.length / 3)));
  if (near !== undefined) return `Did you mean "${near}"?`;
  const elsewhere = fields.find((f) => f.honoured && f.name === key);
  if (elsewhere) return `It belongs ${renderParent(elsewhere.parent)}`;
  if (key === '<<') return 'YAML 1.2 has no merge keys: write the fields out';
  return here.length > 0 ? `There are: ${here.join(', ')}` : undefined;
}

function matches(parent: readonly string[], path: Path): boolean {
  return parent.length === path.length && parent.every((step, i) => step === path[i] || WILD.includes(step));
}

function renderParent(parent: readonly string[]): string {
  return parent.length === 0 ? 'to the top of the file' : `in ${parent.join('.').replaceAll('.[]', '[]')}`;
}

/** Edits (Levenshtein) from one word to the other. */
function distance(a: string, b: string): number {
  const first = Array.from({ length: b.length + 1 }, (_, i) => i);
  const last = Array.from(a).reduce((above, letter) => nextRow(above, letter, b), first);
  return last[b.length] ?? 0;
}

function nextRow(above: readonly number[], letter: string, b: string): number[] {
  const row = [(above[0] ?? 0) + 1];
  for (const [j, other] of Array.from(b).entries()) {
    const replaced = (above[j] ?? 0) + (letter === other ? 0 : 1);
    row.push(Math.min(replaced, (above[j + 1] ?? 0) + 1, (row[j] ?? 0) + 1));
  }
  return row;
}
