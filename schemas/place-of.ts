import type { Place } from './diagnostic.ts';
import type { Endpoint } from './endpoint.ts';

/** Where an item of an endpoint's lists is in its file. */
export function placeOf({ file, places }: Endpoint, list: 'permissions' | 'rateLimits', index: number): Place {
  return places?.[list][index] ?? { file, line: 1, column: 1 };
}
