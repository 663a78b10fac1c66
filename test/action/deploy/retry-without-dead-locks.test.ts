import { access, mkdir, writeFile } from 'node:fs/promises';
import { mkdtempSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Deploying } from '../../../action/deploy/deployment-context.ts';
import { withoutDeadLocks } from '../../../action/deploy/retry-without-dead-locks.ts';
import { StackLockedError } from '../../../app/deploy/stack-failures.ts';
import { makeLockedOutcome } from '../../../engine/plan/outcome.ts';
import type { PulumiProject } from '../../../engine/pulumi-project.ts';
import { parseLockRefusal, type StateLock } from '../../../engine/state/state-lock.ts';
import type { Seed } from '../github/fake/seed.ts';
import { connected, SHA } from '../github/connect-fake-github.ts';

const lockOf = (host: string, more: Partial<StateLock> = {}): StateLock => ({
  file: '',
  user: 'runner',
  host,
  pid: 1234,
  since: '2026-11-24T10:05:00Z',
  alive: undefined,
  ...more,
});
const payload = { endpoint: 'iris', action: 'deploy', runId: 41, runAttempt: 1, host: 'fv-az1', user: 'runner' };
const deployment = { sha: SHA, environment: 'production', task: 'davit:iris', payload, states: ['in_progress'] };
const ended = { id: 41, status: 'completed', updatedAt: '2026-11-24T10:20:00Z' };

/** Works on a stack that is locked until its lock's file is gone. */
async function work(lock: StateLock, seed: Partial<Seed>) {
  const root = mkdtempSync(join(tmpdir(), 'davit-unlock-'));
  const file = join(root, 'locks', 'lock.json');
  await mkdir(dirname(file));
  await writeFile(file, '{}');
  const { github } = await connected(seed);
  const backend = { url: 'file://x', folder: root, project: 'davit' };
  const said: string[] = [];
  const deploying = {
    github,
    request: { environment: { name: 'production' }, progress: { say: (line: string) => void said.push(line) } },
    open: () => Promise.resolve({ backend } as PulumiProject),
  } as unknown as Deploying;
  const there = () =>
    access(file).then(
      () => true,
      () => false,
    );
  const attempts: boolean[] = [];
  const done = withoutDeadLocks(deploying, async () => {
    attempts.push(await there());
    if (await there())
      throw new StackLockedError(
        'iris.production',
        makeLockedOutcome({ stack: 'iris.production', root }, { message: 'locked', locks: [{ ...lock, file }] }),
      );
    return 'done';
  });
  const result = await done.catch((e: unknown) => e);
  return { result, attempts, said, there: await there() };
}

describe('withoutDeadLocks', () => {
  it('releases what a run has left that has ended, and works again', async () => {
    const { result, attempts, said } = await work(lockOf('fv-az1'), { deployments: [deployment], runs: [ended] });
    expect(result).toBe('done');
    expect(attempts).toEqual([true, false]);
    expect(said).toEqual([
      expect.stringMatching(/^Releasing the lock of iris\.production, which an ended run has left: https:/),
    ]);
  });

  it('releases what an earlier attempt of a run has left', async () => {
    const running = { id: 41, status: 'in_progress', attempt: 2 };
    expect((await work(lockOf('fv-az1'), { deployments: [deployment], runs: [running] })).result).toBe('done');
  });

  it.each([
    ['a person on a machine of theirs', lockOf('laptop'), {}],
    ['a run that goes on', lockOf('fv-az1'), { runs: [{ id: 41, status: 'in_progress' }] }],
    ['a run that nobody knows any more', lockOf('fv-az1'), { runs: [] }],
    ['somebody before that run', lockOf('fv-az1', { since: '2026-11-24T09:00:00Z' }), {}],
    ['somebody on the same machine after that run', lockOf('fv-az1', { since: '2026-11-24T11:00:00Z' }), {}],
    ['another user of the same machine', lockOf('fv-az1', { user: 'alice' }), {}],
    ['a process that lives', lockOf('fv-az1', { alive: true }), {}],
    [
      'a run that somebody else says was ours',
      lockOf('fv-az1'),
      { deployments: [{ ...deployment, login: 'mallory' }] },
    ],
    ['a run for another environment', lockOf('fv-az1'), { deployments: [{ ...deployment, environment: 'staging' }] }],
  ])('leaves the lock of %s', async (_, lock, seed) => {
    const { result, attempts, there } = await work(lock, { deployments: [deployment], runs: [ended], ...seed });
    expect(result).toBeInstanceOf(StackLockedError);
    expect(attempts).toEqual([true]);
    expect(there).toBe(true);
  });

  it('passes other errors on', async () => {
    const { github } = await connected();
    const failing = withoutDeadLocks({ github } as unknown as Deploying, () => Promise.reject(new Error('boom')));
    await expect(failing).rejects.toThrow('boom');
  });
});

describe('parseLockRefusal', () => {
  it('reads who holds a stack from what the engine says of a bucket', async () => {
    const said = `error: the stack is currently locked by 2 lock(s). Either wait for the other process(es) to end or delete the lock file with \`pulumi cancel\`.
  s3://bucket/.pulumi/locks/organization/davit/iris.production/1.json: created by runner@fv-az1 (pid 77) at 2026-11-24T10:05:00Z
  s3://bucket/.pulumi/locks/organization/davit/iris.production/2.json: created by a b@c@laptop (pid 78) at 2026-11-24T10:06:00+01:00`;
    expect(await parseLockRefusal(said)).toEqual([
      {
        file: 's3://bucket/.pulumi/locks/organization/davit/iris.production/1.json',
        user: 'runner',
        host: 'fv-az1',
        pid: 77,
        since: '2026-11-24T10:05:00Z',
        alive: undefined,
      },
      expect.objectContaining({ user: 'a b@c', host: 'laptop', since: '2026-11-24T10:06:00+01:00' }),
    ]);
    expect(await parseLockRefusal('[409] Conflict: Another update is currently in progress.')).toEqual([]);
  });

  it('knows that a process of this machine is gone', async () => {
    const said = `\n  s3://b/l.json: created by root@${hostname()} (pid 4194999) at 2026-11-24T10:05:00Z`;
    expect(await parseLockRefusal(said)).toMatchObject([{ alive: false }]);
  });
});
