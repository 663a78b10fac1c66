import type { Endpoint } from '../endpoint/endpoint.ts';
import { internalHost } from '../environment/kubernetes-names.ts';
import type { Lock } from '../lock/lock.ts';
import type { ServingEntry } from './serving-entry.ts';
import { keepSignature } from '../lock/signature.ts';

/** The parts of an entry that do not come from the endpoint file. */
export interface ServingEntryInputs {
  readonly lock: Lock;
  /** Names of Knative Revisions by served entity. */
  readonly revisions: Readonly<Record<string, string>>;
  readonly namespace: string;
}

/** Makes the entry that the authorisation service of a cluster reads for an endpoint. */
export function makeServingEntry(endpoint: Endpoint, { lock, revisions, namespace }: ServingEntryInputs): ServingEntry {
  const share = (entity: string) => endpoint.routes.find((r) => r.entity === entity)?.percentage ?? 0;
  return {
    name: endpoint.name,
    description: endpoint.description,
    tags: endpoint.tags,
    host: internalHost(endpoint.name, namespace),
    entities: endpoint.entities.map((entity) => ({
      name: entity.name,
      host: internalHost(endpoint.name, namespace, entity.name),
      revision: revisions[entity.name] ?? '',
      modelName: entity.model.name,
      modelVersion: entity.model.version,
      workloadType: entity.workloadType,
      concurrency: entity.concurrency,
      scaleToZero: entity.scaleToZero,
      trafficPercentage: share(entity.name),
      ...keepSignature(lock, entity.name, endpoint.entities.length),
    })),
    permissions: endpoint.permissions,
    rateLimits: endpoint.rateLimits,
    routeOptimized: endpoint.routeOptimized,
  };
}
