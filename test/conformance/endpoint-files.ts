import { join } from 'node:path';

const CODE = join(import.meta.dirname, '..', '..');

/** An endpoint with one entity, the first version of the iris example. */
export const IRIS = 'iris';
/** An endpoint with three entities, which get 90, 10 and 0 % of the traffic. Kubernetes would refuse its name. */
export const SPLIT = 'Split_90-10';
/** An endpoint with one entity whose model does what its first row says: answer, sleep, raise or die. */
export const FAULTS = 'faults';
/** An endpoint with a low rate limit. */
export const LIMITED = 'limited';

export const ENTITY = { iris: 'iris-1', champion: 'champion', challenger: 'Challenger_2', shadow: 'shadow' } as const;
export const FAULTS_TIME_LIMIT_SECONDS = 10;
export const CALLS_A_MINUTE = 5;
/** The caller who may only view FAULTS: a service account of Kubernetes. The local target has no such callers. */
export const VIEWER = { namespace: 'default', name: 'davit-conformance-viewer' } as const;

/** Model directories by their path below `models/`. */
export const MODELS: Readonly<Record<string, string>> = {
  'iris/1': join(CODE, 'models/iris/1'),
  'iris/2': join(CODE, 'models/iris/2'),
  'conformance/1': join(CODE, 'test/fixtures/models/o_conformance'),
};

const entity = (name: string, model: string, concurrency: number) => {
  const [entityName = '', version = ''] = model.split('/');
  return `    - name: ${name}
      entity_name: ${entityName}
      entity_version: "${version}"
      min_provisioned_concurrency: ${concurrency}
      max_provisioned_concurrency: ${concurrency}
`;
};

/** Endpoint files by name, the same for every target. */
export const ENDPOINTS: Readonly<Record<string, string>> = {
  [IRIS]: `name: ${IRIS}
description: Flowers
tags: [{ key: team, value: x }]
config:
  served_entities:
${entity(ENTITY.iris, 'iris/1', 2)}`,
  [SPLIT]: `name: ${SPLIT}
config:
  served_entities:
${entity(ENTITY.champion, 'iris/1', 2)}${entity(ENTITY.challenger, 'iris/2', 1)}${entity(ENTITY.shadow, 'iris/2', 1)}
  traffic_config:
    routes:
      - { served_entity_name: ${ENTITY.champion}, traffic_percentage: 90 }
      - { served_entity_name: ${ENTITY.challenger}, traffic_percentage: 10 }
      - { served_entity_name: ${ENTITY.shadow}, traffic_percentage: 0 }
`,
  [FAULTS]: `name: ${FAULTS}
config:
  served_entities:
${entity('faults', 'conformance/1', 2)}
davit:
  served_entities: { faults: { time_limit_seconds: ${FAULTS_TIME_LIMIT_SECONDS} } }
  permissions:
    - { service_principal_name: ${VIEWER.namespace}/${VIEWER.name}, permission_level: CAN_VIEW }
`,
  [LIMITED]: `name: ${LIMITED}
config:
  served_entities:
${entity('limited', 'conformance/1', 1)}
ai_gateway:
  rate_limits: [{ calls: ${CALLS_A_MINUTE}, key: endpoint, renewal_period: minute }]
`,
};
