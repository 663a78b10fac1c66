import { type Diagnostic, makeError } from '../diagnostic.ts';
import type { ParsedEndpoint } from './parse-endpoint.ts';

/**
 * Checks that endpoint names differ even when case is ignored, because host names and some file systems ignore case.
 */
export function checkEndpoints(parsed: readonly ParsedEndpoint[]): readonly Diagnostic[] {
  const named = parsed.flatMap(({ name, locate }) => (name === undefined ? [] : [{ name, place: locate(['name']) }]));
  return named.flatMap(({ name, place }, i) => {
    const same = named.slice(0, i).find((e) => e.name.toLowerCase() === name.toLowerCase());
    if (!same) return [];
    const message = `Cannot have a second endpoint named "${name}": ${same.place.file} has that name`;
    return [makeError('duplicate-name', place, message, 'Rename one of the two')];
  });
}
