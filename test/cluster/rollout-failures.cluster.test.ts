import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { declareCards, holdRegistryDown } from './on-node.ts';
import { makeEntity, Rollouts } from './rollouts.ts';

const CRASH = { VERSION: 'bad', CRASH: '{{secrets/team/crash}}' };
const CREATING = /Configuration [^:]+: creating/;
const isNode = inject('shared').cluster?.kind === 'node';
let on: Rollouts;

beforeAll(async () => {
  on = await Rollouts.open();
  await on.writeSecret('crash', 'yes');
  await on.declare({ variables: { VERSION: 'one' } });
  await on.up();
});

afterAll(async () => {
  await on.davit('down', '--all');
  await declareCards(on.to, 0);
});

describe('what fails leaves everything as it was, and says why', () => {
  test('a version that crashes', async () => {
    await on.declare({ variables: CRASH });
    const { stderr } = await on.fails('a version that crashes');
    expect(stderr).toContain(
      'endpoints/b.yaml:4:7 error revision-failed The model does not start (load): RuntimeError: the weights cannot be read',
    );
    const endpoint = await on.status();
    expect(endpoint).toMatchObject({ ready: 'READY', configUpdate: 'UPDATE_FAILED' });
    expect(endpoint.entities.at(-1)).toMatchObject({ deployment: 'DEPLOYMENT_FAILED' });
    expect(endpoint.entities.at(-1)?.message).toContain('the weights cannot be read');
    await expect.poll(async () => (await on.pods()).length, { timeout: 60_000 }).toBe(1); // it holds nothing any more
  });

  test('one of three entities: nothing switches, not even the shares of the others', async () => {
    const entities = [makeEntity('b', { VERSION: 'one' }), makeEntity('two', { VERSION: 'two' })];
    await on.declareShared([...entities, makeEntity('bad', CRASH)], [40, 40, 20]);
    const { stderr } = await on.fails('one of three');
    expect(stderr).toContain('endpoints/b.yaml:14:7 error revision-failed The model does not start');
  });

  test('a secret that is not there', async () => {
    await on.declare({ variables: { VERSION: '{{secrets/nowhere/key}}' } });
    const { stderr } = await on.fails('a missing secret');
    expect(stderr).toMatch(/revision-failed Its container "model" cannot be started: secret "nowhere" not found/);
  });

  test('a model that needs more memory than it may have', async () => {
    await on.writeSecret('megabytes', '4000');
    await on.declare({ variables: { VERSION: 'large', LOAD_MB: '{{secrets/team/megabytes}}' } });
    const { stderr } = await on.fails('too much memory');
    expect(stderr).toMatch(/revision-failed It needs more memory than it may have/);
  });

  test.runIf(isNode)('a registry that the node cannot reach, and one that has lost the image', async () => {
    await appendFile(join(on.root, 'models', 'behaves', '2', 'model.py'), `\n# ${Date.now()}: another image\n`);
    await on.declare({ variables: { VERSION: 'two' }, more: { entity_version: '2' } });
    let release: (() => void) | undefined;
    const down = await on
      .fails('the registry is down', (text) => {
        if (CREATING.test(text)) release ??= holdRegistryDown(); // what builds images needs it before
      })
      .finally(() => release?.());
    expect(down.stderr).toMatch(/revision-failed Its image cannot be pulled: .*connection refused/);
    const { name = '', digest = '' } =
      /cannot be pulled: localhost:5001\/(?<name>\S+)@(?<digest>sha256:\w+)/.exec(down.stderr)?.groups ?? {};
    let removed: Promise<Response> | undefined;
    const lost = await on.fails('the image is gone', (text) => {
      if (!CREATING.test(text)) return; // it was there when the update began
      removed ??= fetch(`http://localhost:5001/v2/${name}/manifests/${digest}`, { method: 'DELETE' });
    });
    expect((await removed)?.status).toBe(202);
    expect(lost.stderr).toMatch(/revision-failed Its image cannot be pulled: .*not found/);
  });

  test('and the next update just works', async () => {
    await on.declare({ variables: { VERSION: 'two' }, more: { entity_version: '2' } });
    await on.updates('after failures', 'two'); // the image, if it was lost, is built again
    expect(await on.status()).toMatchObject({ ready: 'READY', configUpdate: 'NOT_UPDATING' });
    expect((await on.status()).entities).toHaveLength(1);
  });
});

describe('hardware that is not there', () => {
  test('is said; when it is there, the same update works', async () => {
    await on.declare({ variables: { VERSION: 'gpu' }, more: { workload_type: 'GPU_SMALL' } });
    const { stderr } = await on.fails('no graphics card');
    expect(stderr).toContain('No node can take it: 0/1 nodes are available: 1 Insufficient nvidia.com/gpu');
    await declareCards(on.to, 1);
    await on.updates('a graphics card', 'gpu');
  });

  test('or is taken is said before; the old one can end first', async () => {
    await on.declare({ variables: { VERSION: 'next' }, more: { workload_type: 'GPU_SMALL' } });
    const { stdout } = await on.davit('preview', 'b');
    expect(stdout).toContain('needs 1 nvidia.com/gpu more than is free while both versions run');
    await on.declare({ variables: { VERSION: 'next' }, more: { workload_type: 'GPU_SMALL' }, rollout: 'recreate' });
    expect(await on.previews()).toBe('recreate');
    const { asked } = await on.watch('the old one ends first', () => on.up(), { honourRetryAfter: true });
    expect(await on.answer()).toBe('next');
    // There is a time without a replica: whatever is asked meanwhile is held or told to come again, never lost.
    expect(asked.failed).toBe(0);
  });
});
