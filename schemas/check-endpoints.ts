import { type Diagnostic, makeError } from './diagnostic.ts';
import type { Endpoint } from './endpoint.ts';

/** Rules across endpoint files: names differ, also for who cannot tell capitals apart (file systems, host names). */
export function checkEndpoints(endpoints: readonly Endpoint[]): readonly Diagnostic[] {
  return endpoints.flatMap((endpoint, i) => {
    const same = endpoints.slice(0, i).find((e) => e.name.toLowerCase() === endpoint.name.toLowerCase());
    if (!same) return [];
    const message = `Cannot have a second endpoint named "${endpoint.name}": ${same.file} has that name`;
    return [makeError('duplicate-name', { file: endpoint.file, line: 1, column: 1 }, message, 'Rename one of the two')];
  });
}
