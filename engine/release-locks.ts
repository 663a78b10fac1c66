import { rm } from 'node:fs/promises';
import type { PulumiProject } from './project.ts';
import { runCommand } from './stacks.ts';
import type { StateLock } from './state-lock.ts';

/**
 * Removes the locks of a stack whose holders are known to be gone. In a folder those files and no others; elsewhere all
 * that hold the stack, which is as far as the engine goes: name all of them.
 */
export async function releaseLocks(project: PulumiProject, stack: string, locks: readonly StateLock[]): Promise<void> {
  if (!project.backend.folder) {
    await runCommand(project, ['cancel', '--yes', '--stack', stack]);
    return;
  }
  const files = locks.flatMap(({ file }) => [file, `${file}.attrs`]);
  await Promise.all(files.map((file) => rm(file, { force: true })));
}
