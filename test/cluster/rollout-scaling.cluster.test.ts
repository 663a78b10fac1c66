import { afterAll, beforeAll, expect, test } from 'vitest';
import { queryEndpoint } from '../prober/query-endpoint.ts';
import { Rollouts } from './rollouts.ts';

const UNITS_OF_A_REPLICA = 4;
const BURST = 100;
const MODEL = { VERSION: 'one', LOAD_SECONDS: '8' };
/** Shorter than the load time of the model. */
const TIME_LIMIT_SECONDS = 3;
const busy = (seconds: number) => `{"dataframe_records": [{"seconds": ${seconds}}]}`;
let on: Rollouts;

beforeAll(async () => {
  on = await Rollouts.open('scaling');
  const more = { scale_to_zero_enabled: true, max_provisioned_concurrency: UNITS_OF_A_REPLICA };
  await on.declare({ variables: MODEL, more, seconds: TIME_LIMIT_SECONDS });
  await on.up();
});

afterAll(() => on.close());

test('an idle endpoint scales to zero, and requests without permission do not wake it', async () => {
  await expect.poll(() => on.podNames(), { timeout: 180_000, interval: 1000 }).toEqual([]);
  expect(await on.status()).toMatchObject({ ready: 'READY', entities: [{ deployment: 'DEPLOYMENT_READY' }] });
  const refused = await Promise.all(Array.from({ length: BURST }, () => on.query('nobody')));
  expect(new Set(refused.map((r) => r.status))).toEqual(new Set([401]));
  expect(await on.podNames()).toEqual([]);
  // Nor does an update start a replica.
  await on.up();
  expect(await on.podNames()).toEqual([]);
});

test('a request wakes the endpoint and is held, even if loading takes longer than its time limit', async () => {
  const began = performance.now();
  await on.underLoad('woken', () => on.query());
  expect(performance.now() - began).toBeGreaterThan(TIME_LIMIT_SECONDS * 1000);
});

test('requests beyond the maximum concurrency wait in the queue', async () => {
  const { url } = on.question();
  const answers = await Promise.all(Array.from({ length: BURST }, () => queryEndpoint(url, on.token, busy(0.2))));
  expect(new Set(answers.map((a) => a.status))).toEqual(new Set([200]));
  expect(await on.podNames()).toHaveLength(1);
});

test('an endpoint scales from one replica to four under load without a failed request', async () => {
  const bounds = { min_provisioned_concurrency: UNITS_OF_A_REPLICA, max_provisioned_concurrency: 16 };
  await on.declare({ variables: MODEL, more: bounds, seconds: TIME_LIMIT_SECONDS });
  expect(await on.previews()).toBe('update-in-place');
  await on.up();
  const load = { clients: 16, body: busy(0.2) };
  const replicas = async () => (await on.status()).entities[0]?.replicas;
  await on.underLoad(
    'one replica to four',
    async () => {
      await expect.poll(replicas, { timeout: 120_000, interval: 500 }).toBe(4);
    },
    load,
  );
});
