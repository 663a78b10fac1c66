import { countEdits } from './suggest-field.ts';

/** Suggests the value of a list that is meant: `MINUTE` → `minute`, `GPU_SMAL` → `GPU_SMALL`, `CPU_SMALL` → `CPU`. */
export function suggestValue(found: unknown, values: readonly unknown[]): string | undefined {
  if (typeof found !== 'string') return undefined;
  const wanted = normalise(found);
  const words = values.filter((v) => typeof v === 'string');
  const near =
    words.find((v) => normalise(v) === wanted) ?? findMisspelled(wanted, words) ?? findByFirst(wanted, words);
  return near === undefined ? undefined : `Did you mean ${JSON.stringify(near)}?`;
}

function normalise(text: string): string {
  return text.trim().toLowerCase().replaceAll(/[- ]/g, '_');
}

/** The first letter must be right: `CPU_SMALL` is no misspelling of `GPU_SMALL`. */
function findMisspelled(wanted: string, words: readonly string[]): string | undefined {
  const near = words
    .filter((word) => normalise(word).startsWith(wanted.slice(0, 1)))
    .map((word) => ({ word, edits: countEdits(wanted, normalise(word)) }))
    .sort((a, b) => a.edits - b.edits)[0];
  return near && near.edits <= Math.min(2, Math.floor(wanted.length / 3)) ? near.word : undefined;
}

/** The longest value that is the first words of the text, else the first value that begins with it. */
function findByFirst(wanted: string, words: readonly string[]): string | undefined {
  if (wanted === '') return undefined;
  const shorter = words.filter((word) => wanted.startsWith(`${normalise(word)}_`));
  const [longest] = [...shorter].sort((a, b) => b.length - a.length);
  return longest ?? words.find((word) => normalise(word).startsWith(`${wanted}_`));
}
