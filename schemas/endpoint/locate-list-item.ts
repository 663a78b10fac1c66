import type { SourceLocation } from '../diagnostic.ts';
import type { Endpoint } from './endpoint.ts';

/** Source location of a list item of an endpoint. */
export function locateListItem(
  { file, places }: Endpoint,
  list: 'permissions' | 'rateLimits',
  index: number,
): SourceLocation {
  return places?.[list][index] ?? { file, line: 1, column: 1 };
}
