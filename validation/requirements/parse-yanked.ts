import { normalizePackageName } from '../../python/normalize-package-name.ts';

/** A version that its authors have withdrawn from the index. */
export interface YankedPackage {
  readonly name: string;
  readonly version: string;
  readonly reason: string | undefined;
}

const MAX_REASON_CHARACTERS = 200;

/** Separates what uv writes besides its failure: warnings, and how many packages it has resolved. */
export function separateNotes(stderr: string): { readonly notes: string; readonly rest: string } {
  const lines = stderr.split('\n');
  const isNote = (line: string) => /^(?:warning: |Resolved \d+ packages? in )/.test(line);
  return { notes: lines.filter(isNote).join('\n'), rest: lines.filter((line) => !isNote(line)).join('\n') };
}

/** Reads uv's warnings: `numpy==2.4.0` is yanked (reason: "Backward compatibility bug"). */
export function parseYanked(notes: string): readonly YankedPackage[] {
  return notes.split('\n').flatMap((line): readonly YankedPackage[] => {
    const found = /^warning: `([A-Za-z0-9._-]+)==([^`\s]+)` is yanked(?: \(reason: "(.*)"\))?/.exec(line);
    const [, name, version, reason] = found ?? [];
    if (name === undefined || version === undefined) return [];
    const text = reason
      ?.replace(/[\p{Cc}\p{Cf}]/gu, ' ')
      .trim()
      .slice(0, MAX_REASON_CHARACTERS);
    return [{ name: normalizePackageName(name), version, reason: text === '' ? undefined : text }];
  });
}
