import { access, readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { davitFolder, IGNORE_FILE } from '../../system/davit-folder.ts';
import type { PulumiProject } from '../project.ts';
import { listStacks } from '../stacks.ts';

/** Removes the files that Davit made for a project's state once no stack needs them. A state elsewhere stays. */
export async function removeUnusedState(project: PulumiProject): Promise<void> {
  const own = davitFolder(project.root);
  if (project.backend.folder !== join(own, 'pulumi') || !(await hasUnusedState(project, project.backend.folder)))
    return;
  const parts = ['pulumi', 'stacks', 'engine', 'passphrase'].map((part) =>
    rm(join(own, part), { recursive: true, force: true }),
  );
  await Promise.all(parts);
  // A folder that also holds other files stays, and so do its parents.
  await rmdir(join(own, 'environments')).catch(() => undefined);
  const left = await readdir(own).catch(() => []);
  if (left.every((name) => name === IGNORE_FILE)) await rm(own, { recursive: true, force: true });
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
