import { describe, expect, it } from 'vitest';
import { checkAgainstEnvironment } from '../../schemas/check-against-environment.ts';
import { type Environment, parseEnvironment } from '../../schemas/environment.ts';
import type { HardwareTable } from '../../schemas/hardware.ts';
import { parseEndpoint } from '../../schemas/parse-endpoint.ts';

const FILE = 'environments/local.yaml';

describe('parseEnvironment()', () => {
  it('completes the smallest environment with every default', () => {
    expect(parseEnvironment('name: local\ntarget: local\n', FILE)).toEqual({
      environment: {
        name: 'local',
        file: FILE,
        target: 'local',
        gateway: { port: undefined },
        autoscaling: { idleSeconds: 1800, scaleDownSeconds: 300 },
      },
      diagnostics: [],
    });
  });

  it.each([
    ['another name than its file', 'name: staging\ntarget: local\n', '1:7 name-mismatch'],
    ['a port that does not exist', 'name: local\ntarget: local\ngateway: {port: 70000}\n', '3:17 bad-value'],
    ['an idle time of nothing', 'name: local\ntarget: local\nautoscaling: {idle_seconds: 0}\n', '3:29 bad-value'],
    ['an unknown target', 'name: local\ntarget: moon\n', '2:9 bad-value'],
    ['a field of an endpoint', 'name: local\ntarget: local\nconfig: {}\n', '3:1 unknown-field'],
  ])('refuses %s', (_what, text, wanted) => {
    const { environment, diagnostics } = parseEnvironment(text, FILE);
    expect(environment).toBeUndefined();
    expect(diagnostics.map((d) => `${d.line}:${d.column} ${d.code}`)).toEqual([wanted]);
  });
});

describe('parseEnvironment() of a Kubernetes environment', () => {
  const file = 'environments/production.yaml';
  const digest = `@sha256:${'a'.repeat(64)}`;
  const smallest = [
    'name: production',
    'target: kubernetes',
    'images:',
    '  registry: ghcr.io/acme/models',
    `  bases: {"3.11": "docker.io/library/python${digest}"}`,
    `  node: docker.io/library/node${digest}`,
    `  envoy: docker.io/envoyproxy/envoy${digest}`,
    '',
  ].join('\n');

  it('completes the smallest one with every default', () => {
    const { environment, diagnostics } = parseEnvironment(smallest, file);
    expect(diagnostics).toEqual([]);
    expect(environment).toMatchObject({
      target: 'kubernetes',
      cluster: { kubeconfig: undefined, context: undefined },
      namespace: 'models',
      platformNamespace: 'davit-system',
      images: { registry: 'ghcr.io/acme/models', platform: 'linux/amd64', timeoutSeconds: 3600, retries: 2 },
      knative: { mode: 'adopt' },
      gateway: { url: undefined, serviceType: 'ClusterIP', annotations: {}, tlsSecret: undefined, replicas: 2 },
      identity: { kind: 'kubernetes', audience: 'davit' },
      secrets: {},
      quota: {},
      egress: undefined,
      autoscaling: { idleSeconds: 1800, scaleDownSeconds: 300 },
    });
    const hardware = hardwareOf(environment);
    expect(hardware.CPU).toMatchObject({ per: 'unit', memory: '4Gi' });
    expect(hardware.GPU_SMALL).toMatchObject({ per: 'replica', gpu: { resource: 'nvidia.com/gpu', count: 1 } });
  });

  it('lays hardware field by field over the defaults', () => {
    const more =
      'hardware:\n  CPU: {memory: 1Gi}\n  GPU_SMALL: {node_selector: {card: t4}, gpu: {count: 2}}\n  GPU_LARGE: null\n';
    const { environment } = parseEnvironment(smallest + more, file);
    const hardware = hardwareOf(environment);
    expect(hardware.CPU).toMatchObject({ per: 'unit', memory: '1Gi', cpu: '500m' });
    expect(hardware.GPU_SMALL).toMatchObject({ nodeSelector: { card: 't4' }, gpu: { count: 2 }, memory: '12Gi' });
    expect(Object.keys(hardware)).not.toContain('GPU_LARGE');
  });

  it.each([
    ['an image by its tag', smallest.replace(`node${digest}`, 'node:24'), '6:9 bad-value'],
    ['a registry with credentials', smallest.replace('ghcr.io', 'me:secret@ghcr.io'), '4:13 bad-value'],
    ['an environment without images', 'name: production\ntarget: kubernetes\n', '1:1 missing-field'],
    ['a port, which belongs to the other target', `${smallest}gateway: {port: 1}\n`, '8:11 unknown-field'],
    ['a type of hardware that does not exist', `${smallest}hardware: {TPU: {cpu: "1"}}\n`, '8:12 bad-value'],
    ['an amount that is none', `${smallest}hardware: {CPU: {cpu: much}}\n`, '8:23 bad-value'],
    ['half seconds', `${smallest}autoscaling: {scale_down_seconds: 0.5}\n`, '8:35 bad-value'],
    ['more idleness than Knative can wait for', `${smallest}autoscaling: {idle_seconds: 5000}\n`, '8:29 bad-value'],
    ['one namespace for both', `${smallest}platform_namespace: models\n`, '8:21 conflicting-fields'],
    ['an unknown kind of identity', `${smallest}identity: {kind: password}\n`, '8:18 bad-value'],
    ['a manifest without its checksum', `${smallest}knative: {manifests: [{source: a.yaml}]}\n`, '8:23 missing-field'],
    ['a password in the address', `${smallest}gateway: {url: "https://a:b@c.example"}\n`, '8:16 bad-value'],
  ])('refuses %s', (_what, text, wanted) => {
    const { environment, diagnostics } = parseEnvironment(text, file);
    expect(environment).toBeUndefined();
    expect(diagnostics.map((d) => `${d.line}:${d.column} ${d.code}`)).toEqual([wanted]);
    expect(JSON.stringify(diagnostics)).not.toContain('expected undefined');
  });
});

function hardwareOf(environment: Environment | undefined): HardwareTable {
  if (environment?.target !== 'kubernetes') throw new TypeError('expected a Kubernetes environment');
  return environment.hardware;
}

describe('checkAgainstEnvironment()', () => {
  it('refuses hardware that the environment does not have, on the entity', () => {
    const text =
      'name: a\nconfig:\n  served_entities:\n    - {entity_name: a, entity_version: "1", workload_type: GPU_SMALL}\n';
    const { endpoint } = parseEndpoint(text, 'endpoints/a.yaml');
    const { environment } = parseEnvironment('name: local\ntarget: local\n', FILE);
    expect(checkAgainstEnvironment(endpoint!, environment!)).toMatchObject([
      { code: 'unavailable-workload-type', file: 'endpoints/a.yaml', line: 4, column: 7 },
    ]);
  });

  it('refuses on this machine what only a cluster has, and warns of what it does not enforce', () => {
    const text = [
      'name: a',
      'config:',
      '  served_entities:',
      '    - entity_name: a',
      '      entity_version: "1"',
      '      environment_vars: {KEY: "{{secrets/team/key}}", PLAIN: x}',
      '      instance_profile_arn: arn:aws:iam::123456789012:role/models',
      'davit: {permissions: [{group_name: users, permission_level: CAN_QUERY}]}',
      '',
    ].join('\n');
    const { endpoint } = parseEndpoint(text, 'endpoints/a.yaml');
    const { environment } = parseEnvironment('name: local\ntarget: local\n', FILE);
    const found = endpoint && environment ? checkAgainstEnvironment(endpoint, environment) : [];
    expect(found.map((d) => [d.line, d.severity, d.message])).toEqual([
      [4, 'error', 'Cannot give "a-1" a secret as KEY in environment "local": this machine has no secrets'],
      [4, 'error', 'Cannot give "a-1" an AWS role in environment "local": this machine has none'],
      [
        1,
        'warning',
        'Found permissions on "a": environment "local" has one kind of token, and everybody who has one may query',
      ],
    ]);
  });
});
