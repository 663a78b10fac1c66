import { access, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { PulumiProject } from '../project.ts';
import { listStacks } from '../stacks.ts';

/** Removes the files that Davit made for a project's state once no stack needs them. A state elsewhere stays. */
export async function removeUnusedState(project: PulumiProject): Promise<void> {
  const own = join(project.root, '.davit');
  if (project.backend.folder !== join(own, 'pulumi') || !(await hasUnusedState(project, project.backend.folder)))
    return;
  const parts = ['pulumi', 'stacks', 'passphrase'].map((part) => rm(join(own, part), { recursive: true, force: true }));
  await Promise.all(parts);
  // A folder that also holds other files stays, and so do its parents.
  for (const folder of [join(own, 'environments'), own]) await rmdir(folder).catch(() => undefined);
}

/** False also when the state is already gone, because another run that took down an endpoint may have removed it. */
async function hasUnusedState(project: PulumiProject, folder: string): Promise<boolean> {
  const isThere = () =>
    access(folder).then(
      () => true,
      () => false,
    );
  try {
    return (await isThere()) && (await listStacks(project)).length === 0;
  } catch (e) {
    if (await isThere()) throw e;
    return false;
  }
}
