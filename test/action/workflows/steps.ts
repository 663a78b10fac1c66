import { readFile } from 'node:fs/promises';
import { expect } from 'vitest';
import { openLocalTarget } from '../../../app/targets/local-target.ts';
import { codePath } from '../../../system/code.ts';
import type { Files, TestPullRequest, UserRepository } from './user-repository.ts';

export const ALL_SUCCEEDED = { validate: 'success', preview: 'success', report: 'success' };

/** A pull request that has its locks and its review. */
export async function openReviewedPullRequest(
  user: UserRepository,
  number: number,
  files: Files,
): Promise<TestPullRequest> {
  const pull = user.openPullRequest(number, files);
  const run = await user.runPullRequest(pull);
  expect(run.results, run.log).toEqual(ALL_SUCCEEDED);
  user.refresh(pull);
  return pull;
}

/** What an endpoint answers to the example's input. */
export async function queryLocalEndpoint(user: UserRepository, environment: string, endpoint: string): Promise<string> {
  const { query } = await openLocalTarget(user.workspace, environment).connect();
  const body = await readFile(codePath('models/iris/1/serving_input_example.json'), 'utf8');
  return (await query({ endpoint, entity: undefined, body, contentType: 'application/json' })).body;
}
