import { describe, expect, it } from 'vitest';
import { type Environment, parseEnvironment } from '../../../schemas/environment/environment.ts';
import type { HardwareTable } from '../../../schemas/environment/hardware.ts';

const FILE = 'environments/local.yaml';

describe('parseEnvironment()', () => {
  it('completes the smallest environment with every default', () => {
    expect(parseEnvironment('name: local\ntarget: local\n', FILE)).toEqual({
      environment: {
        name: 'local',
        policy: {},
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
    ['a field of the other target', 'name: local\ntarget: local\nnamespace: a\n', '3:1 unknown-field'],
  ])('refuses %s', (_what, text, wanted) => {
    const { environment, diagnostics } = parseEnvironment(text, FILE);
    expect(environment).toBeUndefined();
    expect(diagnostics.map((d) => `${d.line}:${d.column} ${d.code}`)).toEqual([wanted]);
  });
});

it('says every mistake at once, also beside a target that does not exist', () => {
  const text =
    'name: production\ntarget: k8s\nimages: {registry: "https://a"}\ngateway: {port: 1}\npolicy: {pickles: no}\n';
  const { diagnostics } = parseEnvironment(text, 'environments/prod.yaml');
  expect(diagnostics.map((d) => `${d.line}:${d.column} ${d.code}`)).toEqual([
    ...['1:7 name-mismatch', '2:9 bad-value', '3:9 missing-field', '3:9 missing-field', '3:9 missing-field'],
    ...['3:20 bad-value', '4:11 unknown-field', '5:19 bad-value'],
  ]);
  expect(diagnostics.find((d) => d.line === 2)?.hint).toBe('Write kubernetes');
  const local = parseEnvironment('name: local\ntarget: lokal\ngateway: {port: 70000}\n', FILE);
  expect(local.diagnostics.map((d) => `${d.line}:${d.column} ${d.hint ?? ''}`)).toEqual([
    '2:9 Did you mean "local"?',
    '3:17 ',
  ]);
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

  const withPackages = (...names: readonly string[]) => `${smallest}  packages: [${names.join(', ')}]\n`;
  const manifest = `{source: a.yaml, sha256: "${'0'.repeat(64)}"}`;

  it('sorts the Debian packages of images, so that their order makes no other image', () => {
    const { environment } = parseEnvironment(withPackages('libgomp1', 'libstdc++6', 'libgl1', 'libgomp1'), file);
    expect(environment).toMatchObject({ images: { packages: ['libgl1', 'libgomp1', 'libstdc++6'] } });
  });

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
      gateway: {
        url: undefined,
        serviceType: 'ClusterIP',
        annotations: {},
        tlsSecret: undefined,
        replicas: 2,
        allowedOrigins: [],
      },
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
    ['a type of hardware that does not exist', `${smallest}hardware: {TPU: {cpu: "1"}}\n`, '8:12 unknown-field'],
    ['memory without a unit', `${smallest}hardware: {CPU: {memory: "4"}}\n`, '8:26 bad-value'],
    ['memory that would be processors', `${smallest}hardware: {CPU: {memory: 500m}}\n`, '8:26 bad-value'],
    ['processors that would be memory', `${smallest}hardware: {CPU: {cpu: 4Gi}}\n`, '8:23 bad-value'],
    ['a package with a version', withPackages('libgomp1=12.2'), '8:14 bad-value'],
    ['a package with an architecture', withPackages('libgomp1:i386'), '8:14 bad-value'],
    ['a package that apt-get would remove', withPackages('libgomp1-'), '8:14 bad-value'],
    ['an option of apt-get', withPackages('-o=Dir::Etc=/x'), '8:14 bad-value'],
    ['a command for the shell', withPackages('"a; rm -rf /"'), '8:14 bad-value'],
    ['a second line of the Dockerfile', withPackages('"libgomp1\\nRUN x"'), '8:14 bad-value'],
    ['a package of one letter', withPackages('r'), '8:14 bad-value'],
    ['no processors', `${smallest}hardware: {CPU: {cpu: 0}}\n`, '8:23 bad-value'],
    ['a type that has no default', `${smallest}hardware: {GPU_XLARGE: {cpu: 1, memory: 1Gi}}\n`, '8:12 missing-field'],
    ['a taint of no name', `${smallest}hardware: {CPU: {tolerations: [{effect: NoSchedule}]}}\n`, '8:32 missing-field'],
    [
      'a taint that is there and equal',
      `${smallest}hardware: {CPU: {tolerations: [{key: a, operator: Exists, value: b}]}}\n`,
      '8:32 conflicting-fields',
    ],
    ['a limit that no model could keep', `${smallest}quota: {limits.cpu: "8"}\n`, '8:9 bad-value'],
    ['a limit of nothing that there is', `${smallest}quota: {processors: "8"}\n`, '8:9 bad-value'],
    ['an address range of too many bits', `${smallest}egress: [{cidr: 10.0.0.0/33}]\n`, '8:17 bad-value'],
    ['a range of no addresses', `${smallest}egress: [{cidr: 10.0.0/8}]\n`, '8:17 bad-value'],
    ['a port that does not exist', `${smallest}egress: [{cidr: "::/0", ports: [0]}]\n`, '8:33 bad-value'],
    [
      'a load balancer without TLS',
      `${smallest}gateway: {service_type: LoadBalancer, plain_http: false}\n`,
      '8:25 missing-field',
    ],
    ['files without a unit', `${smallest}hardware: {CPU: {temporary_storage: "4"}}\n`, '8:37 bad-value'],
    ['a source that may send nothing', `${smallest}gateway: {requests_per_source: 0}\n`, '8:32 bad-value'],
    ['a namespace where others live', `${smallest}namespace: default\n`, '8:12 bad-value'],
    [
      'a program that Knative has not',
      `${smallest}knative: {manifests: [${manifest}], images: {activater: x}}\n`,
      '8:127 unknown-field',
    ],
    [
      "a program's image by its tag",
      `${smallest}knative: {manifests: [${manifest}], images: {queue: "x:1"}}\n`,
      '8:134 bad-value',
    ],
    [
      'a manifest from elsewhere',
      `${smallest}knative: {manifests: [${manifest.replace('a.yaml', 'oci://x/y')}]}\n`,
      '8:32 bad-value',
    ],
    ['no version of Python', smallest.replace(/bases: .*/, 'bases: {}'), '5:10 bad-value'],
    ['a registry without its host', smallest.replace('ghcr.io/', ''), '4:13 bad-value'],
    [
      'a provider that is not encrypted',
      `${smallest}identity: {kind: oidc, issuer: "http://a.example", audience: a}\n`,
      '8:32 bad-value',
    ],
    [
      'a provider without an audience',
      `${smallest}identity: {kind: oidc, issuer: "https://a.example"}\n`,
      '8:11 missing-field',
    ],
    [
      'more delay than Knative has',
      `${smallest}autoscaling: {scale_down_seconds: 3601, idle_seconds: 4000}\n`,
      '8:35 bad-value',
    ],
    ['less idleness than one step down', `${smallest}autoscaling: {idle_seconds: 359}\n`, '8:29 bad-value'],
    ['an amount that is none', `${smallest}hardware: {CPU: {cpu: much}}\n`, '8:23 bad-value'],
    ['half seconds', `${smallest}autoscaling: {scale_down_seconds: 0.5}\n`, '8:35 bad-value'],
    ['more idleness than Knative can wait for', `${smallest}autoscaling: {idle_seconds: 5000}\n`, '8:29 bad-value'],
    ['one namespace for both', `${smallest}platform_namespace: models\n`, '8:21 conflicting-fields'],
    ['an unknown kind of identity', `${smallest}identity: {kind: password}\n`, '8:18 bad-value'],
    ['a manifest without its checksum', `${smallest}knative: {manifests: [{source: a.yaml}]}\n`, '8:23 missing-field'],
    ['every origin', `${smallest}gateway: {allowed_origins: ["*"]}\n`, '8:29 bad-value'],
    ['an origin with a path', `${smallest}gateway: {allowed_origins: ["https://a.example/"]}\n`, '8:29 bad-value'],
    ['a password in the address', `${smallest}gateway: {url: "https://a:b@c.example"}\n`, '8:16 bad-value'],
  ])('refuses %s', (_what, text, wanted) => {
    const { environment, diagnostics } = parseEnvironment(text, file);
    expect(environment).toBeUndefined();
    expect(diagnostics.map((d) => `${d.line}:${d.column} ${d.code}`)).toEqual([wanted]);
    expect(JSON.stringify(diagnostics)).not.toContain('expected undefined');
  });

  it.each([
    [
      smallest.replace(`node${digest}`, 'node:24-slim'),
      'docker buildx imagetools inspect docker.io/library/node:24-slim prints the digest',
    ],
    [smallest.replace('ghcr.io/acme/models', 'acme/models'), 'On Docker Hub: docker.io/acme/models'],
    [smallest.replace('ghcr.io', 'me:secret@ghcr.io'), 'Store them with docker login'],
    [`${smallest}gateway: {port: 1}\n`, 'It belongs to target: local'],
    [`${smallest}identity: {issuer: "https://a.example", kind: kubernetes}\n`, 'It belongs to kind: oidc'],
    [`${smallest}identity: {kind: kubernetes, audiense: x}\n`, 'Did you mean "audience"?'],
    [`${smallest}hardware: {GPU_SMALl: {cpu: "1"}}\n`, 'Did you mean "GPU_SMALL"?'],
    [`${smallest}memory: 1Gi\n`, 'It belongs in hardware.CPU'],
    [`${smallest}hardware: {CPU: {memory: 4}}\n`, undefined],
    [`${smallest}gateway: {annotations: {a: 1}}\n`, 'Put it in quotes: "1"'],
  ])('says what to do instead', (text, hint) => {
    expect(parseEnvironment(text, file).diagnostics.map((d) => d.hint)).toEqual([hint]);
  });

  it.each([
    ['the registry', smallest.replace('ghcr.io', 'me:hunter2@ghcr.io')],
    ['an image', smallest.replace('docker.io/library/node', 'me:hunter2@docker.io/library/node')],
    ['an address', `${smallest}gateway: {url: "https://me:hunter2@a.example"}\n`],
    [
      'a manifest',
      `${smallest}knative: {manifests: [${manifest.replace('a.yaml', '"https://me:hunter2@a.example/b"')}]}\n`,
    ],
    ['an issuer', `${smallest}identity: {kind: oidc, audience: a, issuer: "https://me:hunter2@a.example"}\n`],
  ])('does not repeat a password in %s', (_what, text) => {
    const { diagnostics } = parseEnvironment(text, file);
    expect(diagnostics).toHaveLength(1);
    expect(diagnostics[0]?.message).toContain('Cannot accept credentials in an address');
    expect(JSON.stringify(diagnostics)).not.toContain('hunter2');
  });

  it('says everything at once, also the rules between fields', () => {
    const text = `${smallest.replace('name: production', 'name: staging')}platform_namespace: models\nfoo: 1\nautoscaling: {idle_seconds: 60}\n`;
    const { diagnostics } = parseEnvironment(text, file);
    expect(diagnostics.map((d) => `${d.line}:${d.column} ${d.code}`)).toEqual([
      '1:7 name-mismatch',
      '8:21 conflicting-fields',
      '9:1 unknown-field',
      '10:29 bad-value',
    ]);
  });

  it('says what is missing', () => {
    const { diagnostics } = parseEnvironment(
      'name: production\ntarget: kubernetes\nimages: {registry: ghcr.io}\n',
      file,
    );
    expect(diagnostics.map((d) => d.message)).toEqual([
      'Cannot find "images.bases": expected a map',
      'Cannot find "images.node": expected an image by its digest, REGISTRY/NAME@sha256:<64 hexadecimal digits>',
      'Cannot find "images.envoy": expected an image by its digest, REGISTRY/NAME@sha256:<64 hexadecimal digits>',
    ]);
    expect(parseEnvironment('name: production\ntarget: kubernetes\n', file).diagnostics[0]?.message).toBe(
      'Cannot find "images": expected a map of registry, bases, node and envoy',
    );
    expect(parseEnvironment('name: production\n', file).diagnostics[0]?.message).toBe(
      'Cannot find "target": expected local or kubernetes',
    );
  });

  it('takes numbers where people write them, tags beside digests, and names of Secrets with dots', () => {
    const text = [
      smallest.replace(`node${digest}`, `node:24-slim${digest}`),
      'hardware: {CPU: {cpu: 0.5}, GPU_XLARGE: {cpu: 20, memory: 200Gi, gpu: {count: 1}}}\n',
      'quota: {requests.cpu: 64, requests.nvidia.com/gpu: 4}\n',
      'secrets: {Team_A: team.a}\n',
      `knative: {manifests: [${manifest}], images: {queue: "registry.example/queue${digest}"}}\n`,
      'egress: [{cidr: "fd00::/8", ports: [443]}, {cidr: 0.0.0.0/0}]\n',
    ].join('');
    const { environment, diagnostics } = parseEnvironment(text, file);
    expect(diagnostics).toEqual([]);
    expect(environment).toMatchObject({
      quota: { 'requests.cpu': '64', 'requests.nvidia.com/gpu': '4' },
      secrets: { Team_A: 'team.a' },
      knative: { mode: 'install', images: { queue: `registry.example/queue${digest}` } },
      egress: [
        { cidr: 'fd00::/8', ports: [443] },
        { cidr: '0.0.0.0/0', ports: [] },
      ],
    });
    expect(hardwareOf(environment)).toMatchObject({
      CPU: { cpu: '0.5', memory: '4Gi' },
      GPU_XLARGE: {
        per: 'replica',
        gpu: { resource: 'nvidia.com/gpu' },
        coldStartSeconds: 900,
        deploymentSeconds: 7200,
      },
    });
  });
});

function hardwareOf(environment: Environment | undefined): HardwareTable {
  if (environment?.target !== 'kubernetes') throw new TypeError('expected a Kubernetes environment');
  return environment.hardware;
}
