/*
 * Paths as keys of a Set, because a file can have as many faults as lines, and to compare each path with each other takes
 * the square of their number.
 */

export function makePathKey(path: readonly PropertyKey[]): string {
  return JSON.stringify(path.map((step) => (typeof step === 'symbol' ? String(step) : step)));
}

/** Whether a path, or one above it, is among the keys. */
export function isAtOrBelow(path: readonly PropertyKey[], keys: ReadonlySet<string>): boolean {
  if (keys.size === 0) return false;
  for (let length = 0; length <= path.length; length++) if (keys.has(makePathKey(path.slice(0, length)))) return true;
  return false;
}
