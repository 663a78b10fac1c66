import { describe, expect, it } from 'vitest';
import { checkAgainstEnvironment } from '../../../schemas/endpoint/check-against-environment.ts';
import { parseEnvironment } from '../../../schemas/environment/environment.ts';
import { entityTag } from '../../../schemas/environment/kubernetes-names.ts';
import { parseEndpoint } from '../../../schemas/endpoint/parse-endpoint.ts';

const DIGEST = `@sha256:${'a'.repeat(64)}`;
const LOCAL = 'name: local\ntarget: local\n';
const CLUSTER = [
  'name: cluster',
  'target: kubernetes',
  'images:',
  '  registry: ghcr.io/acme/models',
  `  bases: {"3.11": "docker.io/library/python${DIGEST}"}`,
  `  node: docker.io/library/node${DIGEST}`,
  `  envoy: docker.io/envoyproxy/envoy${DIGEST}`,
  '',
].join('\n');

/** What is found on an endpoint with one entity, whose own fields come first. */
function check(environment: string, fields: readonly string[], more: readonly string[] = []): readonly string[] {
  const [, name = ''] = /^name: (\w+)/.exec(environment) ?? [];
  const served = ['name: a', 'config:', '  served_entities:', '    - entity_name: a', '      entity_version: "1"'];
  const text = [...served, ...fields.map((f) => `      ${f}`), ...more, ''].join('\n');
  const { endpoint, diagnostics } = parseEndpoint(text, 'endpoints/a.yaml');
  expect(diagnostics.filter((d) => d.severity === 'error')).toEqual([]);
  const { environment: place, diagnostics: wrong } = parseEnvironment(environment, `environments/${name}.yaml`);
  expect(wrong).toEqual([]);
  if (!endpoint || !place) throw new TypeError('expected an endpoint and an environment');
  return checkAgainstEnvironment(endpoint, place).map(
    (d) => `${d.line}:${d.column} ${d.severity} ${d.code} ${d.message}${d.hint === undefined ? '' : ` | ${d.hint}`}`,
  );
}

describe('checkAgainstEnvironment() of this machine', () => {
  it('refuses hardware that it does not have, on the entity', () => {
    expect(check(LOCAL, ['workload_type: GPU_SMALL'])).toEqual([
      '4:7 error unavailable-workload-type Cannot run "a-1" on GPU_SMALL in environment "local": expected CPU | Change workload_type, or deploy to another environment',
    ]);
  });

  it('refuses what only a cluster has, and warns of what it does not enforce', () => {
    const found = check(
      LOCAL,
      [
        'environment_vars: {KEY: "{{secrets/team/key}}", PLAIN: x}',
        'instance_profile_arn: arn:aws:iam::123456789012:role/models',
      ],
      ['davit: {permissions: [{group_name: users, permission_level: CAN_QUERY}]}'],
    );
    expect(found).toEqual([
      '4:7 error unsupported-field Cannot provide the secret KEY of "a-1" in environment "local": the local target has no secrets | Deploy it to an environment with target: kubernetes',
      '4:7 error unsupported-field Cannot provide the AWS role of "a-1" in environment "local": the local target has no AWS roles | Deploy it to an environment with target: kubernetes',
      '8:23 warning unsupported-field Found permissions on "a": environment "local" ignores them, because each of its tokens may query every endpoint',
    ]);
  });

  it('honours rate limits of the endpoint and of each caller, and warns of those by name', () => {
    const limits = [
      'ai_gateway:',
      '  rate_limits:',
      '    - {calls: 1, renewal_period: minute}',
      '    - {calls: 1, key: user, renewal_period: minute}',
      '    - {calls: 1, key: user_group, renewal_period: minute}',
      '    - {calls: 1, key: user, principal: ann, renewal_period: minute}',
    ];
    expect(check(LOCAL, [], [...limits, 'route_optimized: true'])).toEqual([
      '10:7 warning unknown-principal Found a rate limit of each group on "a": environment "local" does not apply it, because its tokens carry no names',
      '11:7 warning unknown-principal Found a rate limit of "ann" on "a": environment "local" does not apply it, because its tokens carry no names',
    ]);
  });
});

describe('checkAgainstEnvironment() of a cluster', () => {
  it('takes all that the language has', () => {
    const fields = [
      'workload_type: GPU_SMALL',
      'environment_vars: {KEY: "{{secrets/team/key}}"}',
      'instance_profile_arn: arn:aws:iam::123456789012:role/models',
    ];
    const more = [
      'route_optimized: true',
      'ai_gateway: {rate_limits: [{calls: 1, key: service_principal, principal: shop/pay, renewal_period: minute}]}',
      'davit: {rollout: recreate, permissions: [{service_principal_name: shop/pay, permission_level: CAN_QUERY}]}',
    ];
    expect(check(CLUSTER, fields, more)).toEqual([]);
  });

  it('refuses hardware that its environment takes away, and says what there is', () => {
    const [line] = check(`${CLUSTER}hardware: {GPU_SMALL: null}\n`, ['workload_type: GPU_SMALL']);
    expect(line).toContain(
      '4:7 error unavailable-workload-type Cannot run "a-1" on GPU_SMALL in environment "cluster"',
    );
    expect(line).toContain('expected CPU, CPU_MEDIUM, CPU_LARGE, GPU_MEDIUM');
    expect(check(CLUSTER, ['workload_type: GPU_XLARGE'])).toHaveLength(1);
  });

  it('refuses workers that cannot share a card which an environment gives to any type', () => {
    const card = `${CLUSTER}hardware: {CPU: {per: replica, gpu: {count: 1}}}\n`;
    const workers = (mode: string) => [`davit: {served_entities: {a-1: {workers: ${mode}}}}`];
    expect(check(card, [], workers('separate'))).toEqual([
      '4:7 error conflicting-fields Cannot use workers: separate for "a-1" in environment "cluster": only one process can use the GPU of CPU, expected workers: one | Remove workers, or choose another workload_type',
    ]);
    expect([...check(card, [], workers('one')), ...check(CLUSTER, [], workers('separate'))]).toEqual([]);
  });

  it('counts one worker a replica against the quota', () => {
    const quota = `${CLUSTER}quota: {pods: "3"}\n`;
    expect(check(quota, [])).toEqual([]);
    const [line] = check(quota, [], ['davit: {served_entities: {a-1: {workers: one}}}']);
    expect(line).toContain('4:7 error quota-exceeded Cannot provide the minimum of "a-1"');
    expect(line).toContain('the endpoint then needs 4 of pods, expected at most 3');
  });

  it('refuses scopes and keys that no Secret can have', () => {
    const fields = ['environment_vars: {A: "{{secrets/Team_A/key}}", B: "{{secrets/team/..}}"}'];
    expect(check(CLUSTER, fields)).toEqual([
      '4:7 error bad-value Cannot read "Team_A/key" for A in environment "cluster": a Kubernetes Secret cannot have the name "Team_A" | In environments/cluster.yaml: secrets: { Team_A: NAME }',
      '4:7 error bad-value Cannot read "team/.." for B in environment "cluster": a Kubernetes Secret cannot have the key ".." | Rename the key',
    ]);
    expect(check(`${CLUSTER}secrets: {Team_A: team-a}\n`, [fields[0]!.replace('team/..', 'team/x')])).toEqual([]);
  });

  it("warns of service principals that the cluster's tokens cannot be, and not of those of a provider", () => {
    const more = [
      'ai_gateway: {rate_limits: [{calls: 1, key: service_principal, principal: robot, renewal_period: minute}]}',
      'davit: {permissions: [{service_principal_name: robot, permission_level: CAN_QUERY}]}',
    ];
    const sentence =
      'Found the service principal "robot", which cannot exist in environment "cluster": expected NAMESPACE/NAME of a service account';
    expect(check(CLUSTER, [], more)).toEqual([
      `7:23 warning unknown-principal ${sentence}`,
      `6:28 warning unknown-principal ${sentence}`,
    ]);
    const provider = 'identity: {kind: oidc, issuer: "https://a.example", audience: a}\n';
    expect(check(CLUSTER + provider, [], more)).toEqual([]);
  });

  it('refuses a minimum that the quota never has, and warns of such a maximum', () => {
    const quota = `${CLUSTER}quota: {requests.cpu: "4", requests.memory: 40Gi, pods: "3"}\n`;
    expect(check(quota, ['workload_size: Small'])).toEqual([]);
    expect(check(quota, ['workload_size: Medium'])).toEqual([
      '4:7 warning quota-exceeded Found a maximum of "a-1" that environment "cluster" cannot reach: it needs 8 of requests.cpu, and the quota for all models is 4',
      '4:7 warning quota-exceeded Found a maximum of "a-1" that environment "cluster" cannot reach: it needs 64 GiB of requests.memory, and the quota for all models is 40 GiB',
      '4:7 warning quota-exceeded Found a maximum of "a-1" that environment "cluster" cannot reach: it needs 4 of pods, and the quota for all models is 3',
    ]);
    expect(check(quota, ['min_provisioned_concurrency: 12', 'max_provisioned_concurrency: 12'])).toEqual([
      '4:7 error quota-exceeded Cannot provide the minimum of "a-1" in environment "cluster": the endpoint then needs 6 of requests.cpu, expected at most 4, the quota for all models | Lower the minimum, or raise quota in the environment',
      '4:7 error quota-exceeded Cannot provide the minimum of "a-1" in environment "cluster": the endpoint then needs 48 GiB of requests.memory, expected at most 40 GiB, the quota for all models | Lower the minimum, or raise quota in the environment',
    ]);
  });

  it('adds up the minimum of all entities, cards included', () => {
    const two = ['workload_type: GPU_SMALL', 'scale_to_zero_enabled: true'];
    const more = (zero: boolean) => [
      `    - {name: b, entity_name: a, entity_version: "2", workload_type: GPU_SMALL, scale_to_zero_enabled: ${zero}}`,
      `    - {name: c, entity_name: a, entity_version: "3", workload_type: GPU_SMALL}`,
      '  traffic_config: {routes: [{served_entity_name: b, traffic_percentage: 100}]}',
    ];
    const quota = `${CLUSTER}quota: {requests.nvidia.com/gpu: "1"}\n`;
    expect(check(quota, two, more(true))).toEqual([]);
    const [line] = check(quota, two, more(false));
    expect(line).toContain(
      '9:7 error quota-exceeded Cannot provide the minimum of "c" in environment "cluster": the endpoint then needs 2 of requests.nvidia.com/gpu, expected at most 1',
    );
  });

  it('refuses two entities that would be one object', () => {
    const [first, second] = findCollision();
    const more = [
      `    - {name: ${second}, entity_name: a, entity_version: "2"}`,
      `  traffic_config: {routes: [{served_entity_name: ${first}, traffic_percentage: 100}]}`,
    ];
    expect(check(CLUSTER, [`name: ${first}`], more)).toEqual([
      `7:7 error duplicate-name Cannot deploy both "${second}" and "${first}" to Kubernetes: both have the tag ${entityTag(first)} | Give one of them another name`,
    ]);
  });
});

/** Two names with the same beginning and the same four digits of a hash. */
function findCollision(): readonly [string, string] {
  const seen = new Map<string, string>();
  for (let i = 0; i < 5000; i++) {
    const name = `challenger-${i}`;
    const same = seen.get(entityTag(name));
    if (same !== undefined) return [same, name];
    seen.set(entityTag(name), name);
  }
  throw new Error('expected two of them to have one tag');
}
