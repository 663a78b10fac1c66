/** The indexes of the values that the list has before already. */
export function findRepeated(values: readonly (string | undefined)[]): ReadonlySet<number> {
  const seen = new Set<string | undefined>();
  const repeated = new Set<number>();
  for (const [index, value] of values.entries()) {
    if (seen.has(value)) repeated.add(index);
    seen.add(value);
  }
  return repeated;
}
