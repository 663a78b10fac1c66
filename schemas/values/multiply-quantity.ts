const BINARY = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi'];

/**
 * Multiplies a Kubernetes quantity: `256Mi` × 4 → `1Gi`. Uses the API server's canonical form, so that the stored value
 * equals the declared value.
 */
export function multiplyQuantity(quantity: string, times: number): string {
  const [, number, unit] = /^([0-9.]+)([A-Za-z]*)$/.exec(quantity) ?? [];
  if (number === undefined || unit === undefined)
    throw new RangeError(`Cannot multiply "${quantity}": expected a Kubernetes quantity, such as 500m or 4Gi`);
  // Quantities have three decimals at most.
  const value = Math.round(Number(number) * times * 1000) / 1000;
  if (unit === 'm' || unit === '') return renderThousandths(unit === 'm' ? value : value * 1000);
  return BINARY.includes(unit) ? renderBinary(value, BINARY.indexOf(unit)) : `${value}${unit}`;
}

function renderThousandths(value: number): string {
  return value % 1000 === 0 ? String(value / 1000) : `${value}m`;
}

/** Renders the value in the largest unit in which it is a whole number. */
function renderBinary(value: number, power: number): string {
  if (!Number.isInteger(value) && power > 0) return renderBinary(value * 1024, power - 1);
  const larger = value !== 0 && value % 1024 === 0 && power + 1 < BINARY.length;
  return larger ? renderBinary(value / 1024, power + 1) : `${value}${BINARY[power] ?? ''}`;
}
