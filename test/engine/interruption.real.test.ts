import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { adoptPendingCreates, countPendingOperations, type StackState } from '../../engine/state/pending-operations.ts';
import { previewStack, upStack } from '../../engine/run-pulumi.ts';
import { listStacks } from '../../engine/stacks.ts';
import { readStateLocks } from '../../engine/state/state-lock.ts';
import { makeThrowAwayProject } from './tiny-project.ts';

const STACK = 'tiny.local';
const UP = join(import.meta.dirname, 'tiny', 'up.ts');

/** What is in the file of a stack. */
interface Checkpoint {
  readonly version: number;
  readonly checkpoint: { readonly latest: StackState['deployment'] };
}

describe('an update that waits in the middle', () => {
  test('stops at the next safe point when it is cancelled, and the next one works', async () => {
    const { folder, declare, open, openPlain } = await makeThrowAwayProject();
    const project = await open();
    await declare({ a: { content: 'one' }, slow: { content: 'two', behave: 'wait' } });
    const ctrlC = new AbortController();
    const running = upStack(await openPlain(), STACK, { signal: ctrlC.signal });
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
    const { folder, declare, open } = await makeThrowAwayProject();
    const project = await open();
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

  test.each(['SIGKILL to everything', 'SIGKILL to davit alone', 'SIGKILL to the engine alone'])(
    'leaves nothing behind after a %s',
    async (how) => {
      const { root, folder, declare, open } = await makeThrowAwayProject();
      const project = await open();
      await declare({ slow: { content: 'two', behave: 'wait' }, other: { content: 'three' } });
      const up = spawn(process.execPath, [UP, root, STACK], { stdio: 'ignore' });
      await until(() => existsSync(join(folder, 'waiting')) && existsSync(join(folder, 'other.json')));
      await until(async () => (await countPendingOperations(STACK, project.backend)) === 1); // the engine knows that too
      const [lock] = await readStateLocks(STACK, project.backend);
      if (how !== 'SIGKILL to the engine alone') await kill(up);
      if (how !== 'SIGKILL to davit alone') process.kill(lock?.pid ?? 0, 'SIGKILL');
      await until(() => existsSync(join(folder, 'stopped'))); // the provider notices, whoever was killed
      await until(() => up.exitCode !== null || up.signalCode !== null);
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
    },
  );
});

test('what an engine wrote half when it was killed does not keep the next ones from the state', async () => {
  const { root, declare, open } = await makeThrowAwayProject();
  await declare({ a: { content: 'one' } });
  expect(await upStack(await open(), STACK)).toMatchObject({ status: 'succeeded' });
  const state = join(root, '.davit', 'pulumi', '.pulumi');
  const beside = (await readdir(join(state, 'stacks', 'tiny'))).filter((name) => name.endsWith('.attrs'));
  expect(beside).toContain(`${STACK}.json.attrs`);
  for (const name of beside) await writeFile(join(state, 'stacks', 'tiny', name), '');
  await writeFile(join(state, 'meta.yaml.attrs'), '{"user.cache_con');

  const project = await open();
  expect(await listStacks(project)).toEqual([STACK]);
  await declare({ a: { content: 'one' }, b: { content: 'two' } });
  expect(await upStack(project, STACK)).toMatchObject({
    status: 'succeeded',
    plan: { counts: { create: 1, same: 1 } },
  });
});

describe('an engine that was killed', () => {
  const group = { urn: `urn:pulumi:${STACK}::tiny::davit:tiny:Group::g`, type: 'davit:tiny:Group', custom: false };

  test('while it made a group, or something that was then not made, is gone on from', async () => {
    const { project, folder, edit, pending } = await makeInterrupted();
    await edit((state) => ({
      ...state,
      deployment: { ...state.deployment, pending_operations: [{ type: 'creating', resource: group }, pending] },
    }));
    expect(await upStack(project, STACK)).toMatchObject({ status: 'succeeded', failures: [] });
    expect(existsSync(join(folder, 'late.json'))).toBe(true);
    expect(await countPendingOperations(STACK, project.backend)).toBe(0);
  });

  test('once more, before it had looked at what the first one had left, believes nothing of that', async () => {
    const { project, folder, edit, pending } = await makeInterrupted();
    await edit((state) =>
      adoptPendingCreates({ ...state, deployment: { ...state.deployment, pending_operations: [pending] } }),
    );
    expect(await countPendingOperations(STACK, project.backend)).toBe(0);
    expect(await upStack(project, STACK)).toMatchObject({ status: 'succeeded', failures: [] });
    expect(existsSync(join(folder, 'late.json'))).toBe(true);
    expect(await previewStack(project, STACK)).toMatchObject({ plan: { counts: { same: 2 } } });
  });

  /** Two things are wanted and there; then the second is gone, and so is what the state knew of it. */
  async function makeInterrupted() {
    const { root, folder, declare, open } = await makeThrowAwayProject();
    const project = await open();
    await declare({ a: { content: 'one' }, late: { content: 'two' } });
    expect(await upStack(project, STACK)).toMatchObject({ status: 'succeeded' });
    await rm(join(folder, 'late.json'));
    const file = join(root, '.davit', 'pulumi', '.pulumi', 'stacks', 'tiny', `${STACK}.json`);
    const { version, checkpoint } = JSON.parse(await readFile(file, 'utf8')) as Checkpoint;
    const { resources = [] } = checkpoint.latest;
    const [late] = resources.filter(({ urn }) => urn.endsWith('::late'));
    if (!late) throw new Error('the state has no second thing');
    const begun = { ...late, id: undefined, outputs: undefined };
    const before = { ...checkpoint.latest, resources: resources.filter((resource) => resource !== late) };
    const edit = async (change: (state: StackState) => StackState) => {
      const { deployment } = change({ version, deployment: before });
      await writeFile(file, JSON.stringify({ version, checkpoint: { ...checkpoint, latest: deployment } }));
    };
    return { project, folder, edit, pending: { type: 'creating', resource: begun } };
  }
});

async function kill(child: ChildProcess): Promise<void> {
  const ended = new Promise((done) => child.once('exit', done));
  child.kill('SIGKILL');
  await ended;
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(50);
}
