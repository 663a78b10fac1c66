import { rm } from 'node:fs/promises';
import type { PulumiProject } from '../pulumi-project.ts';
import { runStackCommand } from '../stacks.ts';
import { removeReleasedRecords } from './lock-holders.ts';
import type { StateLock } from './state-lock.ts';

/**
 * Removes locks of a stack whose holders are known to have ended. In a folder exactly these locks and the records of
 * their holders are removed. For another backend the engine can only remove all locks of the stack, so pass all of
 * them.
 */
export async function releaseLocks(project: PulumiProject, stack: string, locks: readonly StateLock[]): Promise<void> {
  const { folder } = project.backend;
  if (!folder) {
    await runStackCommand(project, ['cancel', '--yes', '--stack', stack]);
    return;
  }
  const files = locks.flatMap(({ file }) => [file, `${file}.attrs`]);
  await Promise.all(files.map((file) => rm(file, { force: true })));
  await removeReleasedRecords(
    folder,
    locks.map(({ pid }) => pid),
  );
}
