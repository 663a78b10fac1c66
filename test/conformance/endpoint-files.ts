import { join } from 'node:path';

const CODE = join(import.meta.dirname, '..', '..');

/** One entity, the example's first version. */
export const IRIS = 'iris';
/** Three entities: 90, 10 and 0 %. The name is one that Kubernetes would not take. */
export const SPLIT = 'Split_90-10';
/** One entity that does what its first row says: answers, sleeps, raises, dies. */
export const FAULTS = 'faults';
/** Few calls in a minute. */
export const LIMITED = 'limited';

export const ENTITY = { iris: 'iris-1', champion: 'champion', challenger: 'Challenger_2', shadow: 'shadow' } as const;
export const FAULTS_TIME_LIMIT_SECONDS = 3;
export const CALLS_A_MINUTE = 5;
/** Who may only look at FAULTS: a service account of Kubernetes, which the local target has not. */
export const VIEWER = { namespace: 'default', name: 'davit-conformance-viewer' } as const;

/** Models by their place below `models/`. */
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

/** Endpoint files by name: one set for every target. */
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
