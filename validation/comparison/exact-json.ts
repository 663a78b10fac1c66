const MAX_DIGITS = 400;

/** A shorter integer is exact as a double. */
const LONG_INTEGER = /(?<![.\d])\d{16}/;

/** A value of JSON. An integer that a double cannot hold is a bigint. */
export type Json = null | boolean | number | bigint | string | readonly Json[] | { readonly [key: string]: Json };

/** Parses JSON without changing a number: 9007199254740993 is not 9007199254740992. Throws a SyntaxError. */
export function parseExactly(text: string): Json {
  const keep = (_key: string, value: unknown, context?: { readonly source?: string }): unknown => {
    if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
    const { source = '' } = context ?? {};
    return source.length <= MAX_DIGITS && /^-?\d+$/.test(source) ? BigInt(source) : value;
  };
  return (LONG_INTEGER.test(text) ? JSON.parse(text, keep) : JSON.parse(text)) as Json;
}

/** Renders a value as JSON of at most so many characters. */
export function renderJson(value: unknown, characters: number): string {
  const text = JSON.stringify(value, (_key, v: unknown) => (typeof v === 'bigint' ? String(v) : v)) as
    string | undefined;
  const points = Array.from((text ?? 'null').slice(0, characters * 2));
  return points.length > characters ? `${points.slice(0, characters - 1).join('')}…` : points.join('');
}

export function isMap(value: unknown): value is Readonly<Record<string, Json>> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
