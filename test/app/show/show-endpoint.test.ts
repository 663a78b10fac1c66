import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Setting } from '../../../app/show/setting.ts';
import { showEndpoint } from '../../../app/show/show-endpoint.ts';
import { endpointFile } from '../../../schemas/endpoint/endpoint-file.ts';
import { environmentFile } from '../../../schemas/environment/environment-file.ts';
import { listFields } from '../../../schemas/yaml/list-fields.ts';

const SMALL = 'name: small\nconfig:\n  served_entities:\n    - entity_name: iris\n      entity_version: "2"\n';
const LARGE = `# A comment
name: large
config:
  served_entities:
    - { name: a, entity_name: m, entity_version: 1, workload_size: Medium, scale_to_zero_enabled: true }
    - name: b
      entity_name: m
      entity_version: 2
      workload_type: CPU_LARGE
      max_provisioned_concurrency: 2
      environment_vars: { A: "1" }
  traffic_config:
    routes:
      - { served_entity_name: a, traffic_percentage: 100 }
      - { served_entity_name: b, traffic_percentage: 0 }
davit:
  served_entities:
    b: { model_uri: other/m, requirements: { add: [x==1] } }
  rollout: recreate
`;
const DIGEST = `sha256:${'0'.repeat(64)}`;
const PRODUCTION = `name: production
target: kubernetes
images:
  registry: ghcr.io/acme/models
  bases: { "3.11": docker.io/library/python@${DIGEST} }
  node: docker.io/library/node@${DIGEST}
  envoy: docker.io/envoyproxy/envoy@${DIGEST}
hardware:
  CPU: { memory: 6Gi }
quota: { requests.cpu: "64" }
`;

let root = '';
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'davit-show-'));
  for (const folder of ['endpoints', 'environments']) await mkdir(join(root, folder));
  await writeFile(join(root, 'endpoints/small.yaml'), SMALL);
  await writeFile(join(root, 'endpoints/large.yaml'), LARGE);
  await writeFile(join(root, 'environments/local.yaml'), 'name: local\ntarget: local\n');
  await writeFile(join(root, 'environments/production.yaml'), PRODUCTION);
});
afterAll(() => rm(root, { recursive: true }));

async function show(name: string, environment: string) {
  const { sections, diagnostics } = await showEndpoint({ root, endpoints: 'endpoints' }, name, environment);
  return { sections: sections!, codes: diagnostics.map((d) => d.code) };
}

const find = (settings: readonly Setting[], field: string) => {
  const found = settings.find((s) => s.field === field);
  return found && [found.value, found.source];
};

/** The fields of a schema as `davit show` writes them, without what is inside the items of lists. */
function fieldsOf(schema: Parameters<typeof listFields>[0], value: unknown): readonly string[] {
  const fields = listFields(schema, value).filter((f) => f.honoured && f.elsewhere === undefined);
  const parents = new Set(fields.flatMap((f) => f.parent.map((_, i) => f.parent.slice(0, i + 1).join('.'))));
  return fields
    .map((f) => [...f.parent, f.name].join('.'))
    .filter((path) => !parents.has(path))
    .map((path) => path.replace('served_entities.[]', 'served_entities[0]').replace('NAME', 'iris-2'))
    .filter((path) => !path.includes('[]') && !path.includes('NAME'));
}

test('showEndpoint() has every field of an endpoint and of an environment', async () => {
  const { sections } = await show('small', 'production');
  const shown = sections.endpoint.map((s) => s.field);
  const others = ['config.name', 'rate_limits']; // the name again, and the deprecated place of ai_gateway.rate_limits
  const isShown = (f: string) => shown.includes(f) || others.includes(f) || f.includes('.validation.'); // by its cases
  expect(fieldsOf(endpointFile, {}).filter((f) => !isShown(f))).toEqual([]);
  const environment = sections.environment.map((s) => s.field);
  const missing = fieldsOf(environmentFile, { target: 'kubernetes' }).filter((f) => !environment.includes(f));
  expect(missing.filter((f) => !/^(?:hardware|knative|identity|egress|images\.provenance)\b/.test(f))).toEqual([]);
});

test('showEndpoint() names the line of what is written, and the default of what is not', async () => {
  const { sections, codes } = await show('large', 'production');
  expect(codes).toEqual([]);
  const { endpoint, runtime, environment } = sections;
  const entity = 'config.served_entities[1]';
  expect(find(endpoint, 'name')).toEqual(['large', 'endpoints/large.yaml:2']);
  expect(find(endpoint, 'config.served_entities[0].workload_size')).toEqual(['Medium', 'endpoints/large.yaml:5']);
  expect(find(endpoint, 'config.served_entities[0].min_provisioned_concurrency')).toEqual([
    0,
    'default: 0 with scale_to_zero_enabled',
  ]);
  expect(find(endpoint, `${entity}.workload_size`)).toEqual([undefined, 'none: the file has a range of its own']);
  expect(find(endpoint, `${entity}.max_provisioned_concurrency`)).toEqual([2, 'endpoints/large.yaml:10']);
  expect(find(endpoint, 'davit.served_entities.b.model_uri')).toEqual(['other/m', 'endpoints/large.yaml:18']);
  expect(find(endpoint, 'davit.served_entities.b.time_limit_seconds')).toEqual([120, 'default']);
  expect(find(endpoint, 'davit.rollout')).toEqual(['recreate', 'endpoints/large.yaml:19']);
  expect(find(runtime, 'a.replicas')).toEqual(['0 to 4', 'from its concurrency']);
  expect(find(runtime, 'a.memory_per_replica')).toEqual(['24Gi', 'environments/production.yaml:9']);
  expect(find(runtime, 'b.memory_per_replica')).toEqual(['32Gi', 'default of CPU_LARGE']);
  expect(find(environment, 'images.registry')).toEqual(['ghcr.io/acme/models', 'environments/production.yaml:4']);
  expect(find(environment, 'images.retries')).toEqual([2, 'default']);
  expect(find(environment, 'quota')).toEqual([{ 'requests.cpu': '64' }, 'environments/production.yaml:10']);
  expect(find(environment, 'namespace')).toEqual(['models', 'default']);
});

test('showEndpoint() reports what the environment cannot run, and a name that does not exist', async () => {
  expect((await show('large', 'local')).codes).toEqual(['unavailable-workload-type']);
  const { sections, codes } = await show('none', 'nowhere');
  expect([sections, codes]).toEqual([undefined, ['unknown-endpoint', 'unknown-environment']]);
});
