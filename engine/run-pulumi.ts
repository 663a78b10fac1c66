import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SILENT, type Progress } from '../system/progress.ts';
import { makeLockedOutcome, makeOutcome, type Outcome, type StackLocation } from './plan/outcome.ts';
import { adoptPendingCreates, countPendingOperations, type StackState } from './state/pending-operations.ts';
import type { PulumiProject } from './pulumi-project.ts';
import { type OperationOptions, runOperation } from './run-operation.ts';
import { ensureStack, removeStackHistory, hasStack, runStackCommand } from './stacks.ts';
import {
  parseLockRefusal,
  readStateLocks,
  releaseDeadLocks,
  renderStateLock,
  type StateLock,
} from './state/state-lock.ts';

export interface RunOptions {
  readonly progress?: Progress;
  /** Stops at the next safe point; the state stays valid. */
  readonly signal?: AbortSignal | undefined;
  /** Refresh first, because the state may list more than what still runs. */
  readonly refresh?: boolean;
}

/** Previews an update. Creates the stack if it does not exist; changes nothing else. */
export async function previewStack(project: PulumiProject, stack: string, options: RunOptions = {}): Promise<Outcome> {
  const { refresh = false } = options;
  await ensureStack(project, stack);
  // The program skips warnings that the caller of this function shows at the line of the file.
  const previewProject = { ...project, environment: { ...project.environment, DAVIT_PREVIEW: 'true' } };
  return runOperation(previewProject, stack, completeOptions(options), (handle, automation) =>
    handle.preview({ ...automation, refresh }),
  );
}

/** Previews the deletion of a stack; nothing, if the stack does not exist. Changes nothing. */
export async function previewDestroyStack(
  project: PulumiProject,
  stack: string,
  options: RunOptions = {},
): Promise<Outcome> {
  if (!(await hasStack(project, stack))) return makeOutcome({ stack, root: project.root }, 'succeeded', []);
  return runOperation(project, stack, completeOptions(options), (handle, automation) =>
    handle.previewDestroy(automation),
  );
}

/** Deploys the project's declaration. */
export async function upStack(project: PulumiProject, stack: string, options: RunOptions = {}): Promise<Outcome> {
  const { refresh = false } = options;
  await ensureStack(project, stack);
  return runExclusively(project, stack, completeOptions(options), (o) =>
    runOperation(project, stack, o, (handle, automation) => handle.up({ ...automation, refresh })),
  );
}

/** Deletes everything in a stack, then the stack itself; succeeds if the stack does not exist. */
export async function destroyStack(project: PulumiProject, stack: string, options: RunOptions = {}): Promise<Outcome> {
  if (!(await hasStack(project, stack))) return makeOutcome({ stack, root: project.root }, 'succeeded', []);
  const complete = completeOptions(options);
  const outcome = await runExclusively(project, stack, complete, (o) =>
    runOperation(project, stack, o, (handle, automation) => handle.destroy({ ...automation, remove: true })),
  );
  if (outcome.status === 'succeeded') await removeStackHistory(project, stack, complete.progress);
  return outcome;
}

/** Updates the state from the resources that really exist; changes nothing else. */
export async function refreshStack(project: PulumiProject, stack: string, options: RunOptions = {}): Promise<Outcome> {
  return runExclusively(project, stack, completeOptions(options), (o) =>
    runOperation(project, stack, o, (handle, automation) => handle.refresh(automation)),
  );
}

/**
 * Runs an operation that changes the state, after it has removed what a killed engine left: its lock and its pending
 * operations. A lock of a running process, or of another machine, stays.
 */
async function runExclusively(
  project: PulumiProject,
  stack: string,
  options: OperationOptions,
  operate: (options: OperationOptions) => Promise<Outcome>,
): Promise<Outcome> {
  const locks = await readStateLocks(stack, project.backend);
  const held = await releaseDeadLocks(locks, project.backend);
  if (held.length > 0) return refuse({ stack, root: project.root }, held);
  if (locks.length > 0) options.progress.say(`Released the lock on ${stack}, because its process has ended`);
  await settlePendingOperations(project, stack, options);
  const outcome = await operate(options);
  if (outcome.status !== 'locked') return outcome;
  // Another process took the lock a moment earlier. For a backend that is not a folder, only the engine names the
  // holder.
  const said = outcome.failures.map((f) => f.message).join('\n');
  const others = project.backend.folder ? await readStateLocks(stack, project.backend) : await parseLockRefusal(said);
  return others.length > 0 ? refuse({ stack, root: project.root }, others) : outcome;
}

function refuse(place: StackLocation, locks: readonly StateLock[]): Outcome {
  return makeLockedOutcome(place, {
    message: locks.map((lock) => renderStateLock(place.stack, lock)).join('\n'),
    locks,
  });
}

/** Finds out how the operations of a killed engine ended, and records that in the state. */
async function settlePendingOperations(
  project: PulumiProject,
  stack: string,
  { progress, signal }: OperationOptions,
): Promise<void> {
  if ((await countPendingOperations(stack, project.backend)) === 0) return;
  const state = JSON.parse(await runStackCommand(project, ['stack', 'export', '--stack', stack])) as StackState;
  const count = state.deployment.pending_operations?.length ?? 0;
  if (count === 0) return;
  const what = count === 1 ? 'one resource' : `${count} resources`;
  progress.say(`The last update of ${stack} was interrupted; checking the state of ${what} …`);
  const file = join(project.root, '.davit', `${stack}.${process.pid}.state.json`);
  try {
    await writeFile(file, JSON.stringify(adoptPendingCreates(state)), { mode: 0o600 });
    await runStackCommand(project, ['stack', 'import', '--stack', stack, '--file', file]);
  } finally {
    await rm(file, { force: true });
  }
  await runStackCommand(project, ['refresh', '--yes', '--skip-preview', '--stack', stack], signal);
}

function completeOptions({ progress = SILENT, signal }: RunOptions): OperationOptions {
  return { progress, signal };
}
