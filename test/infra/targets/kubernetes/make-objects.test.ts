import { expect, test } from 'vitest';
import type { Declaration } from '../../../../infra/declaration.ts';
import * as make from '../../../../infra/targets/kubernetes/make-objects.ts';
import { listAliases, planEntity } from '../../../../infra/targets/kubernetes/plan-entity.ts';
import type { Endpoint, Entity } from '../../../../schemas/endpoint/endpoint.ts';
import type { KubernetesEnvironment } from '../../../../schemas/environment/environment.ts';

const IMAGE = 'registry.example/models/iris:111111111111-222222222222';
const PARTS = { image: IMAGE, secretVersions: {} };
const PLACE = { endpoint: 'Iris', environment: makeEnvironment() };

test('the objects of an entity are as reviewed', async () => {
  const plan = planEntity(declare(), entity(), PARTS);
  const objects = {
    account: make.makeServiceAccount(PLACE, plan),
    budget: make.makeDisruptionBudget(PLACE, plan),
    configuration: make.makeConfiguration(PLACE, plan, `${IMAGE.split(':')[0]!}@sha256:${'a'.repeat(64)}`),
    bounds: make.makeBounds(PLACE, plan, plan.revision),
    route: make.makeRoute(PLACE, [plan], { shares: { 'Iris-2': 100 }, revisions: [plan.revision] }),
  };
  await expect(JSON.stringify(objects, undefined, 2)).toMatchFileSnapshot('golden/objects.json');
});

test('a GPU, a secret and an AWS role are as reviewed', async () => {
  const wanted = entity({
    workloadType: 'GPU_SMALL',
    environmentVars: { TOKEN: '{{secrets/team/key}}', PLAIN: 'value' },
    instanceProfileArn: 'arn:aws:iam::123456789012:instance-profile/models',
  });
  const plan = planEntity(declare(), wanted, { image: IMAGE, secretVersions: { 'team-secret': '0123abcd' } });
  const objects = {
    account: make.makeServiceAccount(PLACE, plan),
    configuration: make.makeConfiguration(PLACE, plan, IMAGE),
  };
  await expect(JSON.stringify(objects, undefined, 2)).toMatchFileSnapshot('golden/gpu.json');
});

test.each<[string, Partial<Entity>, boolean]>([
  ['nothing', {}, true],
  ['its bounds', { concurrency: { min: 8, max: 16 } }, true],
  ['the units of a replica', { concurrency: { min: 2, max: 2 } }, false],
  ['a time limit', { timeLimitSeconds: 30 }, false],
  ['an environment variable', { environmentVars: { A: '1' } }, false],
  ['how workers come by the model', { workerMode: 'separate' }, false],
  ['the number of workers', { workerMode: 'one' }, false],
  ['what NaN becomes', { nan: 'null' }, false],
  ['where its model lies', { model: { name: 'iris', version: '2', uri: 'models:/iris/2' } }, true],
])('planEntity() keeps the revision when %s changes', (_what, change, same) => {
  const before = planEntity(declare(), entity(), PARTS).revision;
  const after = planEntity(declare(), entity(change), PARTS).revision;
  expect(after === before).toBe(same);
});

test('planEntity() makes another revision of another image and of a secret that was written again', () => {
  const names = [
    planEntity(declare(), entity(), PARTS),
    planEntity(declare(), entity(), { ...PARTS, image: `${IMAGE}1` }),
    planEntity(declare(), entity(), { ...PARTS, secretVersions: { team: '1' } }),
    planEntity(declare(), entity(), { ...PARTS, secretVersions: { team: '2' } }),
  ].map((plan) => plan.revision);
  expect(new Set(names).size).toBe(4);
  for (const name of names) expect(name.length).toBeLessThanOrEqual(55);
});

test.each<[string, Partial<Entity>, readonly string[]]>([
  ['nothing is said', {}, ['--workers', '4']],
  ['workers are separate', { workerMode: 'separate' }, ['--workers', '4', '--worker-mode', 'separate']],
  ['there is one worker', { workerMode: 'one' }, ['--workers', '1', '--worker-mode', 'one']],
  ['NaN becomes null', { nan: 'null' }, ['--workers', '4', '--nan', 'null']],
])('the model server is started as the endpoint says when %s', (_what, change, wanted) => {
  const { template } = planEntity(declare(), entity(change), PARTS);
  const args = template.spec.containers[0]!.args;
  const ours = ['--workers', '--worker-mode', '--nan'];
  expect(args.flatMap((a, i) => (ours.includes(a) ? [a, args[i + 1]] : []))).toEqual(wanted);
  expect(template.spec.containerConcurrency).toBe(Number(wanted[1]));
});

test('the validation cases are an argument in which Kubernetes replaces nothing, and part of the revision', () => {
  const validation = [{ name: 'price', content_type: 'json' as const, input: '{"inputs": "$(HOME)"}', expect: '[1]' }];
  const model = { name: 'iris', version: '2', digest: `sha256:${'0'.repeat(64)}`, python_version: '3.11.7' };
  const locked = { model, requirements: [], virtualenv: 'v', signature: { inputs: null, outputs: null, params: null } };
  const { lock, ...declared } = declare();
  const withCases = { ...declared, lock: { ...lock, entities: { 'Iris-2': { ...locked, validation } } } };
  const { template, revision } = planEntity(withCases, entity(), PARTS);
  const { args } = template.spec.containers[0]!;
  const rendered = args[args.indexOf('--cases') + 1] ?? '';
  expect(rendered).not.toContain('$');
  expect(JSON.parse(rendered)).toEqual([{ ...validation[0], expect: [1] }]);
  expect(planEntity(declare(), entity(), PARTS).revision).not.toBe(revision);
});

test('workers that load the model themselves have the time for it', () => {
  const { hardware, template } = planEntity(declare(), entity({ workerMode: 'separate' }), PARTS);
  const once = planEntity(declare(), entity(), PARTS).hardware.deploymentSeconds;
  expect(hardware.deploymentSeconds).toBe(4 * once);
  expect(template.metadata.annotations['serving.knative.dev/progress-deadline']).toBe(`${4 * once}s`);
});

test('a minimum of nothing is one replica at least, unless it may sleep', () => {
  const replicas = (change: Partial<Entity>) => planEntity(declare(), entity(change), PARTS).replicas;
  expect(replicas({ concurrency: { min: 16, max: 64 } })).toEqual({ min: 4, max: 16 });
  expect(replicas({ concurrency: { min: 0, max: 4 } })).toEqual({ min: 1, max: 1 });
  expect(replicas({ concurrency: { min: 0, max: 6 }, scaleToZero: true })).toEqual({ min: 0, max: 2 });
});

test('a change of the way of a rollout keeps hold of what serves', () => {
  const before = planEntity(declare(), entity(), PARTS);
  const after = planEntity(declare(), entity({ timeLimitSeconds: 1 }), PARTS);
  const serving = new Set([before.revision, 'other-1a2b3c4d-other-5e6f-0123456789-1']);
  expect(listAliases(before, { serving, recreate: true })).toEqual([{ name: before.name }]);
  expect(listAliases(after, { serving, recreate: true })).toEqual([{ name: before.name }]);
  expect(listAliases(before, { serving, recreate: false })).toEqual([{ name: 'Iris-2' }]);
  expect(listAliases(after, { serving, recreate: false })).toEqual([]);
});

function entity(change: Partial<Entity> = {}): Entity {
  return {
    name: 'Iris-2',
    model: { name: 'iris', version: '2', uri: undefined },
    workloadType: 'CPU',
    concurrency: { min: 4, max: 4 },
    scaleToZero: false,
    environmentVars: {},
    instanceProfileArn: undefined,
    requirementEdits: { add: [], remove: [] },
    buildWheels: [],
    timeLimitSeconds: 120,
    workerMode: undefined,
    nan: 'error',
    validation: [],
    place: { file: 'endpoints/Iris.yaml', line: 1, column: 1 },
    ...change,
  };
}

function declare(): Declaration<KubernetesEnvironment> {
  const endpoint: Endpoint = {
    name: 'Iris',
    file: 'endpoints/Iris.yaml',
    description: '',
    tags: [],
    entities: [entity()],
    routes: [{ entity: 'Iris-2', percentage: 100 }],
    routeOptimized: false,
    permissions: [],
    rateLimits: [],
    rollout: 'rolling',
  };
  const lock = { lock_version: 1 as const, endpoint: 'Iris', entities: {}, virtualenvs: {} };
  return { root: '/', endpoint, environment: makeEnvironment(), lock, lockFile: 'endpoints/Iris.lock' };
}

function makeEnvironment(): KubernetesEnvironment {
  const common = { deploymentSeconds: 1800, coldStartSeconds: 300, nodeSelector: {}, tolerations: [] };
  return {
    name: 'production',
    file: 'environments/production.yaml',
    target: 'kubernetes',
    autoscaling: { idleSeconds: 1800, scaleDownSeconds: 300 },
    policy: {},
    cluster: { kubeconfig: undefined, context: 'production' },
    namespace: 'models',
    platformNamespace: 'davit-system',
    images: {
      registry: 'registry.example/models',
      bases: { '3.11': `python@sha256:${'0'.repeat(64)}` },
      packages: [],
      node: `node@sha256:${'1'.repeat(64)}`,
      envoy: `envoy@sha256:${'2'.repeat(64)}`,
      platform: 'linux/amd64',
      dockerHost: undefined,
      timeoutSeconds: 3600,
      retries: 2,
      pullSecret: 'registry',
    },
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
    hardware: {
      CPU: { per: 'unit', cpu: '500m', memory: '4Gi', gpu: undefined, ...common },
      GPU_SMALL: {
        ...common,
        per: 'replica',
        cpu: '4',
        memory: '16Gi',
        gpu: { resource: 'nvidia.com/gpu', count: 1, model: 'T4, 16 GB' },
        nodeSelector: { 'nvidia.com/gpu.product': 'Tesla-T4' },
        tolerations: [{ key: 'nvidia.com/gpu', operator: 'Exists', effect: 'NoSchedule' }],
      },
    },
    secrets: { team: 'team-secret' },
    quota: {},
    egress: undefined,
  };
}
