import type { ServedEndpoint, ServedEntity } from '../../serving-api/served-endpoint.ts';
import type { Signature } from '../../schemas/lock/signature.ts';

/** Parts of a signature as values. */
export interface Written {
  readonly inputs?: unknown;
  readonly outputs?: unknown;
  readonly params?: unknown;
}

/** A signature as MLflow writes it. */
export function signatureOf({ inputs = null, outputs = null, params = null }: Written): Signature {
  const text = (part: unknown) => (part === null ? null : JSON.stringify(part));
  return { inputs: text(inputs), outputs: text(outputs), params: text(params) };
}

export function makeServedEntity(name: string, more: Partial<ServedEntity> = {}): ServedEntity {
  return {
    name,
    modelName: 'iris',
    modelVersion: '1',
    workloadType: 'CPU',
    trafficPercentage: 100,
    concurrency: { min: 0, max: 4 },
    scaleToZero: true,
    signature: undefined,
    state: 'ready',
    message: '',
    ...more,
  };
}

export function makeServed(entities: readonly ServedEntity[]): ServedEndpoint {
  return {
    name: 'iris',
    description: 'Flowers',
    tags: [],
    created: 1000,
    updated: 2000,
    configVersion: 3,
    entities,
    pending: [],
    routeOptimized: false,
    rateLimits: [],
    permissions: [],
    stopped: false,
  };
}
