import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { declareGpus } from './on-node.ts';
import { makeEntity, Rollouts } from './rollouts.ts';

/** Variables that crash the model on the cluster but not in a proof, which has no secrets. */
let crash: Readonly<Record<string, string>>;
let on: Rollouts;

beforeAll(async () => {
  on = await Rollouts.open('failures');
  crash = { VERSION: 'bad', CRASH: await on.writeSecret('crash', 'yes') };
  await on.declare({ variables: { VERSION: 'one' } });
  await on.up();
});

afterAll(async () => {
  await on.close();
  await declareGpus(on.to, 0);
});

describe('a failed update changes nothing that serves, and reports the cause', () => {
  test('a version that crashes', async () => {
    await on.declare({ variables: crash });
    const { stderr } = await on.fails('a version that crashes');
    expect(stderr).toContain(
      'endpoints/failures.yaml:4:7 error revision-failed The model does not start (load): RuntimeError: the weights cannot be read',
    );
    const endpoint = await on.status();
    expect(endpoint).toMatchObject({ ready: 'READY', configUpdate: 'UPDATE_FAILED' });
    expect(endpoint.entities.at(-1)).toMatchObject({ deployment: 'DEPLOYMENT_FAILED' });
    expect(endpoint.entities.at(-1)?.message).toContain('the weights cannot be read');
    await expect.poll(async () => (await on.pods()).length, { timeout: 60_000 }).toBe(1); // its pod is removed
  });

  test('one of three entities crashes: no traffic share changes, not even of the other two', async () => {
    const entities = [makeEntity(on.endpoint, { VERSION: 'one' }), makeEntity('two', { VERSION: 'two' })];
    await on.declareShared([...entities, makeEntity('bad', crash)], [40, 40, 20]);
    const { stderr } = await on.fails('one of three');
    expect(stderr).toContain('endpoints/failures.yaml:14:7 error revision-failed The model does not start');
  });

  test('a missing secret', async () => {
    await on.declare({ variables: { VERSION: '{{secrets/nowhere/key}}' } });
    const { stderr } = await on.fails('a missing secret');
    expect(stderr).toMatch(/revision-failed Its container "model" cannot be started: secret "nowhere" not found/);
  });

  test('a model that exceeds its memory limit', async () => {
    const megabytes = await on.writeSecret('megabytes', '4000');
    await on.declare({ variables: { VERSION: 'large', LOAD_MB: megabytes } });
    const { stderr } = await on.fails('too much memory');
    expect(stderr).toMatch(/revision-failed It exceeded its memory limit/);
  });
});

describe('a cluster without enough GPUs', () => {
  test('an update fails with the cause; after all failures the next one succeeds once there is a GPU', async () => {
    await on.declare({ variables: { VERSION: 'gpu' }, more: { workload_type: 'GPU_SMALL' } });
    const { stderr } = await on.fails('no graphics card');
    expect(stderr).toContain('No node can run it: 0/1 nodes are available: 1 Insufficient nvidia.com/gpu');
    await declareGpus(on.to, 1);
    await on.updates('a graphics card', 'gpu');
    const after = await on.status();
    expect(after).toMatchObject({ ready: 'READY', configUpdate: 'NOT_UPDATING' });
    expect(after.entities).toHaveLength(1);
  });

  test('a preview reports that the GPU is in use; with "recreate" the old revision ends first', async () => {
    await on.declare({ variables: { VERSION: 'next' }, more: { workload_type: 'GPU_SMALL' } });
    const { stdout } = await on.davit('preview', on.endpoint);
    expect(stdout).toContain('needs 1 nvidia.com/gpu more than is free while both versions run');
    await on.declare({ variables: { VERSION: 'next' }, more: { workload_type: 'GPU_SMALL' }, rollout: 'recreate' });
    expect(await on.previews()).toBe('recreate');
    const { report } = await on.watch('the old one ends first', () => on.up(), { honourRetryAfter: true });
    expect(await on.answer()).toBe('next');
    // For some time no replica runs. Requests are then held or asked to retry, and never lost.
    expect(report.failed).toBe(0);
  });
});
