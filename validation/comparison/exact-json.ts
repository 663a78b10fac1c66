const MAX_DIGITS = 400;

/** A shorter integer is exact as a double, and a number with a smaller exponent is finite. */
const INEXACT_NUMBER = /(?<![.\d])\d{16}|e\+?\d{3}/i;

/** A value of JSON. An integer that a double cannot hold is a bigint, and a number beyond the doubles is its text. */
export type Json = null | boolean | number | bigint | string | readonly Json[] | { readonly [key: string]: Json };

/** Parses JSON without changing a number: 9007199254740993 is not 9007199254740992. Throws a SyntaxError. */
export function parseExactly(text: string): Json {
  const keep = (_key: string, value: unknown, context?: { readonly source?: string }): unknown => {
    if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
    const { source = '' } = context ?? {};
    if (source.length <= MAX_DIGITS && /^-?\d+$/.test(source)) return BigInt(source);
    return Number.isFinite(value) ? value : source;
  };
  return (INEXACT_NUMBER.test(text) ? JSON.parse(text, keep) : JSON.parse(text)) as Json;
}

/** Renders a value as JSON of at most so many characters. */
export function renderJson(value: unknown, characters: number): string {
  const text = stringify(value);
  const points = Array.from((text ?? 'null').slice(0, characters * 2));
  return points.length > characters ? `${points.slice(0, characters - 1).join('')}…` : points.join('');
}

function stringify(value: unknown): string | undefined {
  try {
    return JSON.stringify(value, (_key, v: unknown) => (typeof v === 'bigint' ? String(v) : v));
  } catch (e) {
    if (e instanceof RangeError) return '(nested too deeply to show)';
    throw e;
  }
}

export function isMap(value: unknown): value is Readonly<Record<string, Json>> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
