import { rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { PulumiProject } from './project.ts';
import { listStacks } from './stacks.ts';

/** Removes what Davit made to keep a project's state, when no stack is left that needs it. A state elsewhere stays. */
export async function removeUnusedState(project: PulumiProject): Promise<void> {
  const own = join(project.root, '.davit');
  if (project.backend.folder !== join(own, 'pulumi') || (await listStacks(project)).length > 0) return;
  const parts = ['pulumi', 'stacks', 'passphrase'].map((part) => rm(join(own, part), { recursive: true, force: true }));
  await Promise.all(parts);
  // What others have put there stays, and so do the folders around it.
  for (const folder of [join(own, 'environments'), own]) await rmdir(folder).catch(() => undefined);
}
