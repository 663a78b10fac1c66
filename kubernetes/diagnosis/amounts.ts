import { pluralize } from '../../schemas/values/pluralize.ts';

/** Amounts by resource: CPUs, bytes, GPUs, pods. */
export type Amounts = Readonly<Record<string, number>>;

const UNITS: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** A Kubernetes quantity as a number: `500m` → 0.5, `1Gi` → 1073741824. */
export function parseQuantity(quantity: string): number {
  const [, number, unit = ''] = /^([+-]?[0-9.]+(?:[eE][+-]?\d+)?)([A-Za-z]*)$/.exec(quantity) ?? [];
  const factor = UNITS[unit];
  if (number === undefined || factor === undefined)
    throw new RangeError(`Cannot read "${quantity}" as a quantity of Kubernetes: expected one as in 500m or 4Gi`);
  // Round, because thousandths and their sums are not exact in binary.
  return Math.round(Number(number) * factor * 1e6) / 1e6;
}

/** Parses the quantities of all resources. */
export function parseAmounts(quantities: Readonly<Record<string, string>> = {}): Amounts {
  return Object.fromEntries(Object.entries(quantities).map(([name, q]) => [name, parseQuantity(q)]));
}

/** Text for messages: `1.5 processors`, `4 GiB of memory`, `1 nvidia.com/gpu`. */
export function describeAmount(resource: string, amount: number): string {
  if (resource === 'cpu') return `${round(amount)} ${amount === 1 ? 'processor' : 'processors'}`;
  if (resource === 'memory' || resource === 'ephemeral-storage') {
    const what = resource === 'memory' ? 'memory' : 'disk space';
    return amount >= 2 ** 30
      ? `${round(amount / 2 ** 30)} GiB of ${what}`
      : `${round(amount / 2 ** 20)} MiB of ${what}`;
  }
  if (resource === 'pods') return pluralize(amount, 'pod');
  return `${round(amount)} ${resource}`;
}

/** Adds `b` to `a`, `times` times. */
export function addAmounts(a: Amounts, b: Amounts, times = 1): Amounts {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return Object.fromEntries(
    [...names].map((name) => [name, Math.round(((a[name] ?? 0) + (b[name] ?? 0) * times) * 1e6) / 1e6]),
  );
}

function round(amount: number): string {
  return String(Math.round(amount * 100) / 100);
}
