const QUANTITY = /^(\d+(?:\.\d+)?|\.\d+)(m|[kMGTPE]|[KMGTPE]i|[eE]\d+)?$/;
const FACTORS: Readonly<Record<string, number>> = {
  m: 1e-3,
  ...Object.fromEntries(['k', 'M', 'G', 'T', 'P', 'E'].map((unit, i) => [unit, 1000 ** (i + 1)])),
  ...Object.fromEntries(['Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'].map((unit, i) => [unit, 1024 ** (i + 1)])),
};

/** Parses a Kubernetes quantity into its base unit: `500m` → 0.5, `4Gi` → 4294967296. Returns undefined if invalid. */
export function parseQuantity(text: string): number | undefined {
  const [, number, unit = ''] = QUANTITY.exec(text) ?? [];
  if (number === undefined) return undefined;
  if (/^[eE]\d/.test(unit)) return Number(`${number}${unit}`);
  return Number(number) * (FACTORS[unit] ?? 1);
}

const UNITS = [
  ['GiB', 2 ** 30],
  ['MiB', 2 ** 20],
  ['KiB', 2 ** 10],
] as const;

/** Renders bytes for display: `1.5 GiB`. */
export function renderBytes(bytes: number): string {
  if (bytes === 1) return '1 byte';
  const [unit, size] = UNITS.find(([, least]) => bytes >= least) ?? ['bytes', 1];
  return `${Math.round((bytes / size) * 10) / 10} ${unit}`;
}
