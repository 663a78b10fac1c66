const QUANTITY_FIELDS = new Set(['limits', 'requests']);
const BINARY = ['Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];

/**
 * Writes values as the API server would write them: it drops an empty value of an environment variable, and `1000m`
 * becomes `1`. Otherwise every refresh would find a difference.
 */
export function normaliseValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(normaliseValue);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([key, v]) => !(key === 'value' && v === '' && 'name' in value));
  return Object.fromEntries(
    kept.map(([key, v]) => [
      key,
      QUANTITY_FIELDS.has(key) && isStringRecord(v) ? mapValues(v, canonicalQuantity) : normaliseValue(v),
    ]),
  );
}

/** `1000m` → `1`, `1024Mi` → `1Gi` */
export function canonicalQuantity(text: string): string {
  const [, number = '', unit = ''] = /^(\d+)(m|[KMGTPE]i)$/.exec(text) ?? [];
  if (number === '') return text;
  if (unit === 'm') return Number(number) % 1000 === 0 ? String(Number(number) / 1000) : text;
  const next = BINARY[BINARY.indexOf(unit) + 1];
  return Number(number) % 1024 === 0 && next !== undefined
    ? canonicalQuantity(`${Number(number) / 1024}${next}`)
    : text;
}

function isStringRecord(value: unknown): value is Readonly<Record<string, string>> {
  return typeof value === 'object' && value !== null && Object.values(value).every((v) => typeof v === 'string');
}

function mapValues<T>(record: Readonly<Record<string, T>>, change: (value: T) => T): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}
