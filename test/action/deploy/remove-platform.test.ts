import { expect, test } from 'vitest';
import type { Deploying } from '../../../action/deploy/deployment-context.ts';
import { removePlatform } from '../../../action/deploy/remove-platform.ts';

function deployingTo(target: 'kubernetes' | 'local'): Deploying {
  const request = { environment: { name: 'production', target }, signal: new AbortController().signal };
  return { request, job: { runner: { runUrl: 'https://github.test/run/1' } } } as unknown as Deploying;
}

test('an error of the platform is its result, so that the results of the endpoints are still reported', async () => {
  const failing = removePlatform(deployingTo('kubernetes'), () => Promise.reject(new Error('iris runs on it')));
  expect(await failing).toMatchObject([
    { endpoint: '_platform', environment: 'production', state: 'failed', isRemoval: true, causes: ['iris runs on it'] },
  ]);
});

test('a platform that was taken down is reported as removed', async () => {
  expect(await removePlatform(deployingTo('kubernetes'), () => Promise.resolve(true))).toMatchObject([
    { endpoint: '_platform', state: 'removed' },
  ]);
});

test('a local environment has no platform', async () => {
  expect(await removePlatform(deployingTo('local'), () => Promise.reject(new Error('never')))).toEqual([]);
});
