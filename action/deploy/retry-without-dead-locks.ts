import { StackLockedError } from '../../app/deploy/stack-failures.ts';
import { releaseLocks } from '../../engine/state/release-locks.ts';
import type { StateLock } from '../../engine/state/state-lock.ts';
import { type Deployment, listDeployments } from '../github/deployment.ts';
import type { GitHub } from '../github/connect.ts';
import { readWorkflowRun } from '../github/workflow-run.ts';
import type { Deploying } from './deployment-context.ts';

/**
 * Works on a stack. If ended runs of ours, such as one on a killed runner, have left it locked, releases their locks
 * and works once more. Any other lock stays, and its error is thrown.
 */
export async function withoutDeadLocks<T>(deploying: Deploying, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (e) {
    if (!(e instanceof StackLockedError) || e.locks.length === 0) throw e;
    const { github, request } = deploying;
    const endings = await Promise.all(e.locks.map((lock) => findEndedRun(github, request.environment.name, lock)));
    if (endings.some((ending) => ending === undefined)) throw e;
    request.progress.say(`Releasing the lock of ${e.stackName}, which an ended run has left: ${endings.join(', ')}`);
    await releaseLocks(await deploying.open(), e.stackName, e.locks);
    return work();
  }
}

/** The address of the ended run that made a lock; undefined: the run has not ended, or it was not ours. */
async function findEndedRun(github: GitHub, environment: string, lock: StateLock): Promise<string | undefined> {
  if (lock.alive === true) return undefined;
  const maker = await findLockHolder(github, environment, lock);
  if (!maker) return undefined;
  const { runId, runAttempt } = maker.payload;
  const run = await readWorkflowRun(github, runId);
  if (!run) return undefined; // the run is no longer known
  const over = run.status === 'completed' || run.attempt > runAttempt;
  // A later lock is from a person on the same machine.
  const during = run.status !== 'completed' || Date.parse(lock.since) <= Date.parse(run.updatedAt);
  return over && during ? run.url : undefined;
}

/** The deployment that was running on that machine, as that user, when the lock was made. */
async function findLockHolder(github: GitHub, environment: string, lock: StateLock): Promise<Deployment | undefined> {
  for await (const deployment of listDeployments(github, environment)) {
    const { host, user } = deployment.payload;
    if (host !== lock.host || user !== lock.user) continue;
    if (Date.parse(deployment.createdAt) <= Date.parse(lock.since)) return deployment;
  }
  return undefined;
}
