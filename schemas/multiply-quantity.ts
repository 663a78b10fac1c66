/** A Kubernetes quantity so many times: `256Mi` × 4 → `1024Mi`. */
export function multiplyQuantity(quantity: string, times: number): string {
  const [, number, unit] = /^([0-9.]+)([A-Za-z]*)$/.exec(quantity) ?? [];
  if (number === undefined || unit === undefined)
    throw new RangeError(`Cannot multiply "${quantity}": expected a quantity of Kubernetes, as in 500m or 4Gi`);
  // Quantities have three decimals at most.
  return `${Math.round(Number(number) * times * 1000) / 1000}${unit}`;
}
