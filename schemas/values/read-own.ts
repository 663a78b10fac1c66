/** The value of a key that comes from a user's file. Names such as `constructor`, which every object inherits, have none. */
export function readOwn<T>(table: Readonly<Partial<Record<string, T>>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
