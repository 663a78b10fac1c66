import { expect, test } from 'vitest';
import type { Deploying } from '../../../action/deploy/deployment-context.ts';
import { removeEndpoint } from '../../../action/deploy/remove-endpoint.ts';
import type { Runner } from '../../../action/runner.ts';
import { SILENT } from '../../../system/progress.ts';
import { connected } from '../github/connect-fake-github.ts';

async function remove(takeDown: () => Promise<never[]>) {
  const { github } = await connected({});
  const request = { environment: { name: 'staging' }, signal: new AbortController().signal, progress: SILENT };
  const runner: Partial<Runner> = { sha: 'a'.repeat(40), runId: 1, runAttempt: 1 };
  return removeEndpoint('wine', [], { github, request, job: { runner } } as unknown as Deploying, takeDown);
}

test('a removal that failed says how to continue it, after its cause', async () => {
  const { state, isRemoval, causes } = await remove(() => Promise.reject(new Error('The cluster is away\nfor now')));
  expect([state, isRemoval]).toEqual(['failed', true]);
  expect(causes).toEqual([
    'The cluster is away',
    expect.stringMatching(/^To continue .* start the workflow davit-destroy with the endpoint wine$/),
    'for now',
  ]);
});

test('a removal that succeeded needs no next step', async () => {
  expect(await remove(() => Promise.resolve([]))).toMatchObject({ state: 'removed', causes: [] });
});
