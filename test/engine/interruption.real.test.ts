import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { countPendingOperations } from '../../engine/pending-operations.ts';
import { openProject } from '../../engine/project.ts';
import { previewStack, upStack } from '../../engine/run-pulumi.ts';
import { listStacks } from '../../engine/stacks.ts';
import { readStateLocks } from '../../engine/state-lock.ts';
import { makeThrowAwayProject } from './throw-away-project.ts';

const STACK = 'tiny.local';
const UP = join(import.meta.dirname, 'tiny', 'up.ts');

describe('an update that waits in the middle', () => {
  test('stops at the next safe point when it is cancelled, and the next one works', async () => {
    const { root, folder, declare } = await makeThrowAwayProject();
    const project = await openProject(root);
    await declare({ a: { content: 'one' }, slow: { content: 'two', behave: 'wait' } });
    const ctrlC = new AbortController();
    const running = upStack(project, STACK, { signal: ctrlC.signal });
    await until(() => existsSync(join(folder, 'waiting')) && existsSync(join(folder, 'a.json')));
    ctrlC.abort();

    expect(await running).toMatchObject({ status: 'cancelled' });
    expect(existsSync(join(folder, 'stopped'))).toBe(true);
    expect(await readStateLocks(STACK, project.backend)).toEqual([]);
    expect(await countPendingOperations(STACK, project.backend)).toBe(0);

    await declare({ a: { content: 'one' }, slow: { content: 'two' } });
    expect(await upStack(project, STACK)).toMatchObject({
      status: 'succeeded',
      plan: { counts: { create: 1, same: 1 } },
    });
  });

  test('keeps others out, who are told who it is; they may preview', async () => {
    const { root, folder, declare } = await makeThrowAwayProject();
    const project = await openProject(root);
    await declare({ slow: { content: 'two', behave: 'wait' } });
    const ctrlC = new AbortController();
    const running = upStack(project, STACK, { signal: ctrlC.signal });
    await until(() => existsSync(join(folder, 'waiting')));

    const refused = await upStack(project, STACK);
    const held = { user: userInfo().username, host: hostname(), alive: true };
    expect(refused).toMatchObject({ status: 'locked', locks: [held] });
    expect(refused.failures[0]?.message).toMatch(
      /^Cannot change "tiny\.local": it is locked by process \d+ of .* since/,
    );
    expect(await previewStack(project, STACK)).toMatchObject({ status: 'succeeded' });
    ctrlC.abort();
    expect(await running).toMatchObject({ status: 'cancelled' });
  });

  test.each(['SIGKILL to everything', 'SIGKILL to davit alone'])('leaves nothing behind after a %s', async (how) => {
    const { root, folder, declare } = await makeThrowAwayProject();
    const project = await openProject(root);
    await declare({ slow: { content: 'two', behave: 'wait' }, other: { content: 'three' } });
    const up = spawn(process.execPath, [UP, root, STACK], { stdio: 'ignore' });
    await until(() => existsSync(join(folder, 'waiting')) && existsSync(join(folder, 'other.json')));
    const [lock] = await readStateLocks(STACK, project.backend);
    await kill(up);
    if (how === 'SIGKILL to everything') process.kill(lock?.pid ?? 0, 'SIGKILL');
    await until(() => existsSync(join(folder, 'stopped'))); // the provider notices, whoever was killed
    await until(async () => (await readStateLocks(STACK, project.backend)).every((l) => l.alive === false));

    expect(await countPendingOperations(STACK, project.backend)).toBe(1); // without davit the engine dies of its next line

    // The user has gone on: what was being made is not wanted any more, and must not stay behind for ever.
    await declare({ other: { content: 'three' } });
    const said: string[] = [];
    const next = await upStack(project, STACK, { progress: { say: (line) => said.push(line) } });
    expect(next).toMatchObject({ status: 'succeeded', failures: [] });
    expect(existsSync(join(folder, 'slow.json'))).toBe(false);
    expect(await countPendingOperations(STACK, project.backend)).toBe(0);
    expect(said.filter((line) => line.startsWith('warning'))).toEqual([]);
  });
});

test('what an engine wrote half when it was killed does not keep the next ones from the state', async () => {
  const { root, declare } = await makeThrowAwayProject();
  await declare({ a: { content: 'one' } });
  expect(await upStack(await openProject(root), STACK)).toMatchObject({ status: 'succeeded' });
  const state = join(root, '.davit', 'pulumi', '.pulumi');
  const beside = (await readdir(join(state, 'stacks', 'tiny'))).filter((name) => name.endsWith('.attrs'));
  expect(beside).toContain(`${STACK}.json.attrs`);
  for (const name of beside) await writeFile(join(state, 'stacks', 'tiny', name), '');
  await writeFile(join(state, 'meta.yaml.attrs'), '{"user.cache_con');

  const project = await openProject(root);
  expect(await listStacks(project)).toEqual([STACK]);
  await declare({ a: { content: 'one' }, b: { content: 'two' } });
  expect(await upStack(project, STACK)).toMatchObject({
    status: 'succeeded',
    plan: { counts: { create: 1, same: 1 } },
  });
});

async function kill(child: ChildProcess): Promise<void> {
  const ended = new Promise((done) => child.once('exit', done));
  child.kill('SIGKILL');
  await ended;
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(50);
}
