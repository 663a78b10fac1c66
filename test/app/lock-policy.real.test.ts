import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkLocks, lockEndpoints } from '../../app/lock-endpoints.ts';
import type { Environment } from '../../schemas/environment/environment.ts';
import type { Policy } from '../../schemas/environment/policy.ts';
import { renderLock } from '../../schemas/lock/lock.ts';
import { SILENT } from '../../system/progress.ts';
import { lockEndpoint } from '../../validation/lock-endpoint.ts';
import { makeEndpoint, makeProject, writeFiles } from '../validation/throw-away-project.ts';

test('davit lock and davit lock --check follow the policy of the environment', async () => {
  const root = await makeProject({ 'iris/1': 'iris/1' });
  const endpoint = makeEndpoint('e', { m: 'iris/1' });
  const { lock } = await lockEndpoint(endpoint, { root });
  await writeFiles(root, { 'endpoints/e.lock': renderLock(lock!) });
  await rm(join(root, 'models/iris/1/serving_input_example.json'));
  await rm(join(root, 'models/iris/1/input_example.json'), { force: true });
  const check = async (policy: Policy) => {
    const environment = { name: 'local', target: 'local', policy } as unknown as Environment;
    const place = { root, endpoints: 'endpoints' };
    const request = { place, environment, progress: SILENT, signal: AbortSignal.timeout(600_000) };
    const [locked] = await lockEndpoints([endpoint], { ...request, upgrade: false });
    const [checked] = await checkLocks([endpoint], request);
    return [locked?.result.diagnostics, checked?.diagnostics].map((all) =>
      all?.filter((d) => d.code === 'example-missing').map((d) => d.severity),
    );
  };
  expect(await check({ missing_example: 'error' })).toEqual([['error'], ['error']]);
  expect(await check({})).toEqual([['warning'], ['warning']]);
  expect(await check({ missing_example: 'ignore' })).toEqual([[], []]);
});
