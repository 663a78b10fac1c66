/** One entity of an endpoint and its share of the traffic, 0 to 100. */
export interface WeightedEntity {
  readonly trafficPercentage: number;
}

/** Chooses an entity by its traffic share. `random` is in [0, 1). Never chooses an entity without a share. */
export function chooseEntity<T extends WeightedEntity>(entities: readonly T[], random: number): T | undefined {
  const total = entities.reduce((sum, e) => sum + e.trafficPercentage, 0);
  let left = random * total;
  for (const entity of entities) {
    if (entity.trafficPercentage <= 0) continue;
    left -= entity.trafficPercentage;
    if (left < 0) return entity;
  }
  return entities.findLast((e) => e.trafficPercentage > 0); // `random` close to 1, with a rounding error
}
