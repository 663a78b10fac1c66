import { access, cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPulumiFolder, PROGRAM_SERVER, type PulumiProject } from '../../engine/pulumi-project.ts';
import { destroyStack, previewStack, refreshStack, upStack } from '../../engine/run-pulumi.ts';
import {
  connectSupervisor,
  ensureSupervisor,
  readStatus,
  waitForEnd,
} from '../../local/supervisor/start-supervisor.ts';
import { parseLock, renderLock } from '../../schemas/lock/lock.ts';
import { digestModel } from '../../system/model-digest.ts';
import { queryEndpoint } from '../prober/query-endpoint.ts';
import { makeProject, listProjectProcesses, type Project, waitUntil } from './local-project.ts';

const CODE = join(import.meta.dirname, '..', '..');
const STACK = 'iris.local';
const COLUMNS = ['sepal length (cm)', 'sepal width (cm)', 'petal length (cm)', 'petal width (cm)'];
const ROW = { dataframe_split: { columns: COLUMNS, data: [[5.1, 3.5, 1.4, 0.2]] } };

describe('the provider, with the real engine, supervisor and models', () => {
  let project: Project;
  /** The engine starts the program and the provider, as for plain `pulumi`. */
  let pulumi: PulumiProject;
  /** Both run in this process, as for `davit`: the engine starts neither, which saves two starts of Node. */
  let davit: PulumiProject;
  let token: string;

  /** Writes the endpoint and its lock as reviewed files. `digest` replaces the model's digest in the lock. */
  const declare = async (version: number, { digest, max = 4 }: { digest?: string; max?: number } = {}) => {
    const { root } = project;
    await mkdir(join(root, 'endpoints'), { recursive: true });
    const entity = `{name: iris, entity_name: iris, entity_version: "${version}", min_provisioned_concurrency: 4, max_provisioned_concurrency: ${max}}`;
    await writeFile(join(root, 'endpoints', 'iris.yaml'), `name: iris\nconfig:\n  served_entities:\n    - ${entity}\n`);
    const lock = parseLock(await readFile(join(CODE, 'endpoints', 'iris.lock'), 'utf8'), 'iris.lock').lock!;
    const locked = lock.entities['iris']!;
    const found = await digestModel(join(root, 'models', 'iris', String(version)));
    const model = { ...locked.model, version: String(version), digest: digest ?? found };
    const text = renderLock({ ...lock, entities: { iris: { ...locked, model } } });
    await writeFile(join(root, 'endpoints', 'iris.lock'), text);
  };
  const status = async () => (await readStatus(project.root, 'local'))!;
  const url = async () => (await status()).endpoints[0]!.url;
  const answer = async () => (await queryEndpoint(await url(), token, ROW)).status;

  beforeAll(async () => {
    project = await makeProject();
    const { root } = project;
    for (const version of ['1', '2']) {
      const fixture = join(CODE, 'test', 'fixtures', 'models', `p_flowers_${version}`);
      await cp(fixture, join(root, 'models', 'iris', version), { recursive: true });
    }
    await mkdir(join(root, 'environments'));
    await writeFile(join(root, 'environments', 'local.yaml'), 'name: local\ntarget: local\n');
    const plugin = `plugins: {providers: [{name: davit, path: ${join(CODE, 'local')}}]}`;
    const backend = "backend: {url: 'file://.davit/pulumi?metadata=skip'}\nstackConfigDir: .davit/stacks";
    const runtime = 'runtime: {name: nodejs, options: {typescript: false}}';
    await writeFile(
      join(root, 'Pulumi.yaml'),
      `name: davit\n${runtime}\nmain: ${join(CODE, 'infra')}\n${backend}\n${plugin}\n`,
    );
    pulumi = await openPulumiFolder(root);
    davit = { ...pulumi, programServer: PROGRAM_SERVER };
  });

  afterAll(async () => {
    const running = await connectSupervisor(project.root, 'local');
    const last = await running?.status();
    await running?.stop();
    if (last) await waitForEnd(last);
    await project.remove();
  });

  it('changes nothing in a preview', async () => {
    await declare(1);
    expect((await previewStack(pulumi, STACK)).status).toBe('succeeded');
    await expect(access(join(project.root, '.davit', 'environments'))).rejects.toThrow();
    expect((await listProjectProcesses(project)).filter((line) => line.includes('supervisor'))).toEqual([]);
  });

  it('makes a revision and its route, and shows progress; a second update changes nothing', async () => {
    const said: string[] = [];
    const made = await upStack(pulumi, STACK, { progress: { say: (line) => said.push(line) } });
    expect(made).toMatchObject({ status: 'succeeded', failures: [], outputs: { url: await url() } });
    expect(said.join('\n')).toContain('Loading iris');
    token = await (await ensureSupervisor(project.root, 'local')).makeToken();
    expect(await answer()).toBe(200);
    const again = await upStack(pulumi, STACK);
    expect(again.plan.verdict.kind).toBe('no-change');
    const exported = await readFile(
      join(project.root, '.davit', 'pulumi', '.pulumi', 'stacks', 'davit', `${STACK}.json`),
      'utf8',
    );
    expect(exported).not.toContain(token);
  });

  it('changes bounds in place, without restarting a replica', async () => {
    const before = (await status()).revisions[0]!;
    await declare(1, { max: 8 });
    expect((await upStack(davit, STACK)).plan.verdict.kind).toBe('update-in-place');
    const after = (await status()).revisions[0]!;
    expect(after).toMatchObject({ name: before.name, bounds: { min: 4, max: 8 }, replicas: before.replicas });
  });

  it('keeps the old revision when the new one fails, reports the cause, and deploys the next one', async () => {
    const old = (await status()).endpoints[0]!.entities;
    await declare(2, { digest: `sha256:${'0'.repeat(64)}` });
    const failed = await upStack(davit, STACK);
    expect(failed.status).toBe('failed');
    const [failure] = failed.failures;
    expect(failure!.message).toContain('stage model');
    expect(failure!.message).toContain('npx davit lock iris');
    expect((await status()).endpoints[0]!.entities).toEqual(old);
    expect(await answer()).toBe(200);
    expect((await upStack(davit, STACK)).status).toBe('failed'); // the revision is tried again
    await declare(2);
    expect((await upStack(davit, STACK)).status).toBe('succeeded');
    expect((await status()).revisions.map((r) => [r.model.version, r.state])).toEqual([['2', 'ready']]);
    expect(await answer()).toBe(200);
  });

  it('stops a starting revision when the user cancels; the next update succeeds', async () => {
    const stop = new AbortController();
    await declare(1);
    const going = upStack(pulumi, STACK, { signal: stop.signal });
    await waitUntil(status, (s) => s.revisions.some((r) => r.replicas[0]?.state === 'starting'));
    stop.abort(new Error('Ctrl-C'));
    expect((await going).status).toBe('cancelled');
    await waitUntil(status, (s) => s.revisions.length === 1);
    expect((await status()).revisions[0]).toMatchObject({ model: { version: '2' }, state: 'ready' });
    expect(await answer()).toBe(200);
    expect((await upStack(davit, STACK)).status).toBe('succeeded');
    expect((await status()).revisions.map((r) => [r.model.version, r.state])).toEqual([['1', 'ready']]);
  });

  it('reads the real state in a refresh, even if no supervisor runs', async () => {
    const { pid, keeper } = await status();
    process.kill(pid!, 'SIGSTOP'); // otherwise it could start another keeper in time
    process.kill(keeper!, 'SIGKILL');
    process.kill(pid!, 'SIGKILL');
    expect(await refreshStack(davit, STACK)).toMatchObject({
      status: 'succeeded',
      plan: { verdict: { kind: 'no-change' } },
    });
    const client = await ensureSupervisor(project.root, 'local');
    await client.deleteRoute('iris');
    await refreshStack(davit, STACK);
    const planned = await previewStack(davit, STACK);
    expect(planned.plan.resources.filter((r) => r.operation === 'create').map((r) => r.type)).toEqual([
      'davit:local:Route',
    ]);
    expect((await upStack(davit, STACK)).status).toBe('succeeded');
    expect(await answer()).toBe(200);
  });

  it('leaves no process and no file of the environment after a destroy', async () => {
    const before = await status();
    expect((await destroyStack(pulumi, STACK)).status).toBe('succeeded');
    expect(await listProjectProcesses(project)).toEqual([]);
    await expect(access(join(project.root, '.davit', 'environments'))).rejects.toThrow();
    expect((await queryEndpoint(before.endpoints[0]!.url, token, ROW)).status).toBe(0);
  });
});
