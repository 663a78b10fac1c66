import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readReviewedPolicies } from '../../app/review/review-policies.ts';
import { readChangedPaths } from '../../review/changed-paths.ts';
import { readEnvironment } from '../../schemas/read-project.ts';
import { runGit } from '../../system/run-git.ts';

/** A repository whose base has one environment file and whose working tree has another; undefined: no such file. */
async function review(base: string | undefined, now: string) {
  const root = await mkdtemp(join(tmpdir(), 'davit-policies-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const file = join(root, 'environments/prod.yaml');
  await mkdir(dirname(file));
  const write = (policy: string) => writeFile(file, `name: prod\ntarget: local\npolicy: ${policy}\n`);
  const git = (...args: readonly string[]) => runGit(root, ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args]);
  await git('init', '-q', '-b', 'main');
  if (base !== undefined) await write(base);
  await git('add', '-A');
  await git('commit', '-q', '--allow-empty', '-m', 'base');
  await write(now);
  const place = { root, endpoints: 'endpoints' };
  const changes = await readChangedPaths(root, 'main');
  const environment = (await readEnvironment(place, 'prod')).value!;
  const signal = new AbortController().signal;
  return readReviewedPolicies([{ environment, place, isChanged: false }], { place, changes, signal });
}

test.each([
  ['unchanged', '{ pickles: error }', '{ pickles: error }', [{ pickles: 'error' }]],
  ['relaxed', '{ pickles: error }', '{ pickles: ignore }', [{ pickles: 'ignore' }, { pickles: 'error' }]],
  ['new', undefined, '{ pickles: ignore }', [{ pickles: 'ignore' }, {}]],
  ['unreadable before', '5', '{ pickles: ignore }', [{ pickles: 'ignore' }, {}]],
])('a pull request is judged by the policy of its base too when it is %s', async (_what, base, now, expected) => {
  expect(await review(base, now)).toEqual(expected);
});
