import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { renderAsked } from '../../cli/render-asked.ts';
import type { DescribedEndpoint } from '../../kubernetes/describe-endpoints.ts';
import { findKubectl } from '../../offline/cluster/go-programs.ts';
import { type Kubectl, kubectl } from '../../offline/cluster/kubectl.ts';
import { NODE_NAME } from '../../offline/cluster/places.ts';
import { makeWorkingProject } from '../cli/working-project.ts';
import { type ClusterEnvironment, makeClusterEnvironment } from '../conformance/cluster-environment.ts';
import { ask } from '../prober/ask.ts';
import { expectNoFailure, probeDuring } from '../prober/probe.ts';
import { type DavitRun, runDavit } from './run-davit.ts';

const NAME = 'rollout';
const MODELS = `${NAME}-models`;
const FIXTURE = join(import.meta.dirname, '..', 'fixtures', 'models', 'o_environment');
const BODY = '{"dataframe_records": [{"seconds": 0}]}';
const run = promisify(execFile);

interface Settings {
  readonly variables?: Readonly<Record<string, string>>;
  readonly more?: Readonly<Record<string, unknown>>;
}

let project: Awaited<ReturnType<typeof makeWorkingProject>>;
let cluster: ClusterEnvironment;
let to: Kubectl;
let host: string;
let token: string;

beforeAll(async () => {
  project = await makeWorkingProject({ 'behaves/1': FIXTURE, 'behaves/2': FIXTURE });
  const davit = async (...args: readonly string[]) => requireFine(await runDavit(project.root, args)).stdout;
  cluster = await makeClusterEnvironment({ root: project.root, davit }, { name: NAME });
  to = { program: await findKubectl(), kubeconfig: cluster.environment.cluster.kubeconfig };
  await declare({ variables: { VERSION: 'one' } });
  const made = JSON.parse(await davit('token', '--environment', NAME, '--json')) as {
    result: { host: string; token: string };
  };
  ({ host, token } = made.result);
});

afterAll(async () => {
  await davit('down', '--all');
  await cluster.remove();
  await project.remove();
});

describe('an update', () => {
  test('makes the endpoint, and a second one changes nothing', async () => {
    requireFine(await davit('up', 'b'));
    expect((await query()).body).toBe('{"predictions": ["one"]}');
    expect(await changes()).toBe('no-change');
  });

  test('switches with no request lost, and the file put back selects the same revision', async () => {
    const before = await revisionOf('b');
    await declare({ variables: { VERSION: 'two' } });
    await underLoad('another version', () => davit('up', 'b'), 'two');
    expect(await revisionOf('b')).not.toBe(before);
    await declare({ variables: { VERSION: 'one' } });
    await underLoad('the file put back', () => davit('up', 'b'), 'one');
    expect(await revisionOf('b')).toBe(before);
  });

  test('of the bounds loads nothing again', async () => {
    const pods = await listPods();
    await declare({
      variables: { VERSION: 'one' },
      more: { min_provisioned_concurrency: 4, max_provisioned_concurrency: 8 },
    });
    expect(await changes()).toBe('update-in-place');
    requireFine(await davit('up', 'b'));
    expect(await listPods()).toEqual(pods);
    const path = 'jsonpath={.items[0].metadata.annotations.autoscaling\\.knative\\.dev/max-scale}';
    expect(await kubectl(to, ['get', 'podautoscaler', '-n', MODELS, '-o', path])).toBe('2');
  });

  test('reads a secret, and notices when it was written again', async () => {
    await writeSecret('version', 'amethyst');
    await declare({ variables: { VERSION: '{{secrets/team/version}}' } });
    requireFine(await davit('up', 'b'));
    expect((await query()).body).toBe('{"predictions": ["amethyst"]}');
    await writeSecret('version', 'tanzanite');
    await underLoad('a secret that was rotated', () => davit('up', 'b'), 'tanzanite');
    const state = JSON.stringify(
      await run('grep', ['-rlE', 'amethyst|tanzanite', join(project.root, '.davit')]).catch(() => ''),
    );
    expect(state).toBe('""'); // neither value is anywhere in the state
  });
});

describe('what fails leaves everything as it was, and says why', () => {
  test('a version that crashes', async () => {
    await writeSecret('crash', 'yes');
    await declare({ variables: { VERSION: 'bad', CRASH: '{{secrets/team/crash}}' } });
    const failed = await failsUnderLoad('a version that crashes');
    expect(failed.stderr).toContain(
      'endpoints/b.yaml:4:7 error revision-failed The model does not start (load): RuntimeError: the weights cannot be read',
    );
    const [endpoint] = await readStatus();
    expect(endpoint).toMatchObject({ ready: 'READY', configUpdate: 'UPDATE_FAILED' });
    expect(endpoint?.entities.at(-1)).toMatchObject({ deployment: 'DEPLOYMENT_FAILED' });
    expect(endpoint?.entities.at(-1)?.message).toContain('the weights cannot be read');
    await expect.poll(async () => (await listPods()).length, { timeout: 60_000 }).toBe(1); // it holds nothing any more
  });

  test('a secret that is not there', async () => {
    await declare({ variables: { VERSION: '{{secrets/nowhere/key}}' } });
    const failed = await failsUnderLoad('a missing secret');
    expect(failed.stderr).toMatch(
      /revision-failed Its container "model" cannot be started: secret "nowhere" not found/,
    );
  });

  test('one of three entities: nothing switches, not even the shares of the others', async () => {
    const route = await readRoute();
    await declareThree();
    const failed = await failsUnderLoad('one of three');
    expect(failed.stderr).toContain('endpoints/b.yaml:14:7 error revision-failed The model does not start');
    expect(await readRoute()).toEqual(route);
  });

  test('a model that needs more memory than it may have', async () => {
    await writeSecret('megabytes', '4000');
    await declare({ variables: { VERSION: 'large', LOAD_MB: '{{secrets/team/megabytes}}' } });
    const failed = await failsUnderLoad('too much memory');
    expect(failed.stderr).toMatch(/revision-failed (It needs more memory than it may have|The model)/);
  });

  test('and the next update just works', async () => {
    await declare({ variables: { VERSION: 'one' } });
    await underLoad('after failures', () => davit('up', 'b'), 'one');
    expect((await readStatus())[0]).toMatchObject({ ready: 'READY', configUpdate: 'NOT_UPDATING' });
  });
});

describe('hardware', () => {
  test('a graphics card that no node has is said; when it is there, the same update works', async () => {
    await declare({ variables: { VERSION: 'gpu' }, more: { workload_type: 'GPU_SMALL' } });
    const failed = await failsUnderLoad('no graphics card');
    expect(failed.stderr).toContain('No node can take it: 0/1 nodes are available: 1 Insufficient nvidia.com/gpu');
    await setCards('1');
    await underLoad('a graphics card', () => davit('up', 'b'), 'gpu');
  });

  test('where there is no room for both versions, the old one can end first', async () => {
    await declare({ variables: { VERSION: 'next' }, more: { workload_type: 'GPU_SMALL' }, rollout: 'recreate' });
    expect(await changes()).toBe('recreate');
    requireFine(await davit('up', 'b'));
    expect((await query()).body).toBe('{"predictions": ["next"]}');
    await declare({ variables: { VERSION: 'one' } });
    requireFine(await davit('up', 'b'));
    await setCards('0');
  });
});

describe('what is lost or changed by hand', () => {
  test.each([
    ['authorisation service', `${NAME}-system`, 'app.kubernetes.io/name=davit-authorisation'],
    ['edge', `${NAME}-system`, 'app.kubernetes.io/name=davit-edge'],
    ['activator', 'knative-serving', 'app=activator'],
    ['model', MODELS, 'davit.dev/endpoint'],
  ])('a killed %s costs at most what it was answering', async (what, namespace, label) => {
    const question = makeQuestion();
    const { asked } = await probeDuring(question, async () => {
      const [pod] = await listPods(namespace, label);
      await kubectl(to, ['delete', 'pod', pod ?? '', '-n', namespace, '--grace-period=0', '--force']);
      await sleep(8000);
    });
    process.stderr.write(`${what} killed: ${renderAsked(asked)}\n`);
    expect(asked.failed).toBeLessThanOrEqual(8); // one for each client that it was answering
    await expect.poll(async () => (await query()).status, { timeout: 60_000 }).toBe(200);
  });

  test('a route that was edited by hand is shown by a look at it, and put back', async () => {
    await declareTwo();
    requireFine(await davit('up', 'b'));
    const route = await readRoute();
    const name = (await kubectl(to, ['get', 'route', '-n', MODELS, '-o', 'name'])).trim();
    const patch = JSON.stringify([
      { op: 'replace', path: '/spec/traffic/0/percent', value: 10 },
      { op: 'replace', path: '/spec/traffic/1/percent', value: 90 },
    ]);
    await kubectl(to, ['patch', name, '-n', MODELS, '--type=json', '-p', patch]);
    const shown = requireFine(await davit('preview', 'b', '--refresh'));
    expect(shown.stdout).toMatch(/spec\.traffic\[0\]\.percent: 10 → 90/);
    requireFine(await davit('up', 'b'));
    expect(await readRoute()).toEqual(route);
  });

  test('an update that is killed is gone on with by the next', async () => {
    await declare({ variables: { VERSION: 'two' } });
    const killed = await underLoad('an update that is killed', () =>
      runDavit(project.root, ['up', 'b', '--environment', NAME], (text, child) => {
        if (text.includes('loading the model')) process.kill(-(child.pid ?? 0), 'SIGKILL');
      }),
    );
    expect(killed.code).not.toBe(0);
    await underLoad('the next update', () => davit('up', 'b'), 'two');
    expect((await readStatus())[0]?.entities).toHaveLength(1);
  });
});

describe('an endpoint that may sleep', () => {
  test('sleeps when it is idle, is woken by a query and by nothing else', async () => {
    await declare({
      variables: { VERSION: 'one', LOAD_SECONDS: '2' },
      more: { scale_to_zero_enabled: true },
      seconds: 1,
    });
    requireFine(await davit('up', 'b'));
    await expect.poll(() => listPods(), { timeout: 180_000, interval: 2000 }).toEqual([]);
    const refused = await Promise.all(Array.from({ length: 50 }, () => ask(makeQuestion().url, 'nobody', BODY)));
    expect(new Set(refused.map((r) => r.status))).toEqual(new Set([401]));
    expect(await listPods()).toEqual([]);
    // It is held until the model is there, though that takes longer than a prediction may.
    const woken = await query();
    expect(woken).toMatchObject({ status: 200, body: '{"predictions": ["one"]}' });
    requireFine(await davit('up', 'b'));
  });
});

function davit(...args: readonly string[]): Promise<DavitRun> {
  return runDavit(project.root, [...args, '--environment', NAME]);
}

function requireFine(ran: DavitRun): DavitRun {
  if (ran.code !== 0) throw new Error(`davit ended with ${ran.code ?? 'a signal'}\n${ran.stderr}\n${ran.stdout}`);
  return ran;
}

/** An operation while eight clients ask: none of their requests fails, and afterwards `version` answers. */
async function underLoad(what: string, operate: () => Promise<DavitRun>, version?: string): Promise<DavitRun> {
  const { result, asked } = await probeDuring(makeQuestion(), operate);
  process.stderr.write(`${what}: ${renderAsked(asked)}\n`);
  expectNoFailure(asked);
  if (version === undefined) return result;
  requireFine(result);
  expect((await query()).body).toBe(`{"predictions": ["${version}"]}`);
  return result;
}

async function failsUnderLoad(what: string): Promise<DavitRun> {
  const before = (await query()).body;
  const failed = await underLoad(what, () => davit('up', 'b'));
  expect(`${failed.code ?? ''}\n${failed.stderr}`).toMatch(/^1\n/);
  expect(failed.stdout).toContain('not deployed; what served before still serves');
  expect((await query()).body).toBe(before);
  return failed;
}

function makeQuestion() {
  return {
    url: `${host}/serving-endpoints/b/invocations`,
    headers: { authorization: `Bearer ${token}` },
    body: BODY,
  };
}

function query() {
  return ask(makeQuestion().url, token, BODY);
}

async function changes(): Promise<string> {
  const { result } = JSON.parse(requireFine(await davit('preview', 'b', '--json')).stdout) as {
    result: { endpoints: readonly { plan: { verdict: { kind: string } } }[] };
  };
  return result.endpoints[0]?.plan.verdict.kind ?? '';
}

async function readStatus(): Promise<readonly DescribedEndpoint[]> {
  const { result } = JSON.parse((await davit('status', '--json')).stdout) as {
    result: { endpoints: readonly DescribedEndpoint[] };
  };
  return result.endpoints;
}

async function revisionOf(entity: string): Promise<string | undefined> {
  const [endpoint] = await readStatus();
  return endpoint?.entities.find((e) => e.name === entity)?.revision;
}

/** Pods that are not on their way out. */
async function listPods(namespace = MODELS, label = 'davit.dev/endpoint'): Promise<readonly string[]> {
  const json = await kubectl(to, ['get', 'pods', '-n', namespace, '-l', label, '-o', 'json']);
  const { items } = JSON.parse(json) as {
    items: readonly { metadata: { name: string; deletionTimestamp?: string } }[];
  };
  return items.filter((p) => p.metadata.deletionTimestamp === undefined).map((p) => p.metadata.name);
}

async function readRoute(): Promise<unknown> {
  const json = await kubectl(to, ['get', 'route', '-n', MODELS, '-o', 'json']);
  return (JSON.parse(json) as { items: readonly { spec: unknown }[] }).items[0]?.spec;
}

async function writeSecret(key: string, value: string): Promise<void> {
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'team', namespace: MODELS },
    stringData: { [key]: value },
  };
  await run(to.program, [
    '--kubeconfig',
    to.kubeconfig ?? '',
    'apply',
    '--server-side',
    '--field-manager',
    key,
    '--force-conflicts',
    '-f',
    await fileOf(secret),
  ]);
}

async function fileOf(object: unknown): Promise<string> {
  const file = join(project.root, 'object.json');
  await writeFile(file, JSON.stringify(object));
  return file;
}

async function setCards(count: string): Promise<void> {
  const patch = ['capacity', 'allocatable'].map((what) => ({
    op: 'add',
    path: `/status/${what}/nvidia.com~1gpu`,
    value: count,
  }));
  await kubectl(to, ['patch', 'node', NODE_NAME, '--subresource=status', '--type=json', '-p', JSON.stringify(patch)]);
}

interface Declared extends Settings {
  readonly rollout?: string;
  /** Time limit of a prediction. */
  readonly seconds?: number;
}

async function declare({ variables = {}, more = {}, rollout, seconds }: Declared): Promise<void> {
  const entity = { name: 'b', entity_name: 'behaves', entity_version: '1', environment_vars: variables, ...more };
  const ours = {
    ...(rollout !== undefined && { rollout }),
    ...(seconds !== undefined && { served_entities: { b: { time_limit_seconds: seconds } } }),
  };
  await write({ name: 'b', config: { served_entities: [entity] }, davit: ours });
}

async function declareTwo(): Promise<void> {
  const entities = ['one', 'two'].map((name) => makeEntity(name, { VERSION: name }));
  await writeShared(entities, [90, 10]);
}

async function declareThree(): Promise<void> {
  const entities = [
    makeEntity('one', { VERSION: 'one' }),
    makeEntity('two', { VERSION: 'two' }),
    makeEntity('bad', { VERSION: 'bad', CRASH: '{{secrets/team/crash}}' }),
  ];
  await writeShared(entities, [40, 40, 20]);
}

function makeEntity(name: string, variables: Readonly<Record<string, string>>) {
  return { name, entity_name: 'behaves', entity_version: '1', environment_vars: variables };
}

async function writeShared(entities: readonly { readonly name: string }[], shares: readonly number[]): Promise<void> {
  const routes = entities.map(({ name }, i) => ({ served_entity_name: name, traffic_percentage: shares[i] }));
  await write({ name: 'b', config: { served_entities: entities, traffic_config: { routes } } });
}

async function write(endpoint: unknown): Promise<void> {
  await writeFile(join(project.root, 'endpoints', 'b.yaml'), stringify(endpoint));
  requireFine(await runDavit(project.root, ['lock', 'b']));
}
