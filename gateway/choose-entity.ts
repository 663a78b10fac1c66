/** One entity of an endpoint and its share of the traffic, 0 to 100. */
export interface Weighted {
  readonly trafficPercentage: number;
}

/** The entity that a number from 0 (included) to 1 (excluded) falls on; one without a share is never chosen. */
export function chooseEntity<T extends Weighted>(entities: readonly T[], random: number): T | undefined {
  const total = entities.reduce((sum, e) => sum + e.trafficPercentage, 0);
  let left = random * total;
  for (const entity of entities) {
    if (entity.trafficPercentage <= 0) continue;
    left -= entity.trafficPercentage;
    if (left < 0) return entity;
  }
  return entities.findLast((e) => e.trafficPercentage > 0); // rounding at the very end of the scale
}
