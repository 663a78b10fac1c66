import { type Diagnostic, makeError } from '../diagnostic.ts';
import type { ParsedEndpoint } from './parse-endpoint.ts';

/**
 * Checks that endpoint names differ even when case is ignored, because host names and some file systems ignore case.
 */
export function checkEndpoints(parsed: readonly ParsedEndpoint[]): readonly Diagnostic[] {
  const named = parsed.flatMap(({ name, locate }) => (name === undefined ? [] : [{ name, place: locate(['name']) }]));
  const firsts = new Map(named.toReversed().map((endpoint) => [endpoint.name.toLowerCase(), endpoint]));
  return named.flatMap(({ name, place }) => {
    const same = firsts.get(name.toLowerCase());
    if (!same || same.place === place) return [];
    const message = `Cannot have a second endpoint named "${name}": ${same.place.file} has that name`;
    return [makeError('duplicate-name', place, message, 'Rename one of the two')];
  });
}
