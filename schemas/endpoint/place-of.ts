import type { Place } from '../diagnostic.ts';
import type { Endpoint } from './endpoint.ts';

/** Source location of a list item of an endpoint. */
export function placeOf({ file, places }: Endpoint, list: 'permissions' | 'rateLimits', index: number): Place {
  return places?.[list][index] ?? { file, line: 1, column: 1 };
}
