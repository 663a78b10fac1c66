import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { davitFolder, removeEmptyDavitFolder } from '../../system/davit-folder.ts';
import { type Progress, SILENT } from '../../system/progress.ts';
import type { PulumiProject } from '../pulumi-project.ts';
import { hasOwnState, removeUnlessInUse, type StateUser } from './state-users.ts';
import { readErrorMessage } from '../../schemas/values/read-error-message.ts';

/**
 * What Davit made for the state, in the order of its removal. Settings of stacks go before the passphrase, because they
 * have a salt that fits no other passphrase.
 */
const PARTS = ['pulumi', 'stacks', 'engine', 'passphrase'];
/** The start of the names of folders with removed parts, which are deleted afterwards. */
const REMOVED = 'removed.';

interface RemovalOptions {
  readonly progress?: Progress;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Removes the files that Davit made for a project's state once no stack needs them and no operation uses them. A state
 * elsewhere stays. Never throws, because what was taken down is down: an error is reported as progress.
 */
export async function removeUnusedState(
  { root, backend }: Pick<PulumiProject, 'root' | 'backend'>,
  { progress = SILENT, signal }: RemovalOptions = {},
): Promise<void> {
  if (!hasOwnState({ root, backend })) return;
  const own = davitFolder(root);
  try {
    if (await hasStacks(root)) return;
    const users = await removeUnlessInUse(root, () => removeParts(root, progress), { progress, signal });
    if (users.length === 0) await removeEmptyDavitFolder(root);
    for (const user of users) reportUser(own, user, progress);
  } catch (e) {
    progress.say(
      `Cannot remove the unused state in ${own}: ${readErrorMessage(e)}. Nothing that was taken down is affected; the next davit down tries again`,
    );
  }
}

/** Whether the state has a stack, of this project or, if its name has changed, of an earlier one. */
async function hasStacks(root: string): Promise<boolean> {
  try {
    const names = await readdir(davitFolder(root, 'pulumi', '.pulumi', 'stacks'), { recursive: true });
    return names.some((name) => /\.json(\.gz)?$/.test(name));
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw e;
  }
}

/** Moves the parts aside first: each is gone at once, and whatever cannot be deleted is in nobody's way. */
async function removeParts(root: string, progress: Progress): Promise<void> {
  if (await hasStacks(root)) return;
  const own = davitFolder(root);
  const names = await readdir(own);
  const aside = `${REMOVED}${randomBytes(4).toString('hex')}`;
  await mkdir(join(own, aside));
  for (const part of PARTS.filter((name) => names.includes(name)))
    await rename(join(own, part), join(own, aside, part));
  // A killed removal leaves a folder too.
  for (const name of [aside, ...names.filter((n) => n.startsWith(REMOVED))]) {
    const folder = join(own, name);
    await rm(folder, { recursive: true, force: true }).catch((e: unknown) =>
      progress.say(
        `Cannot delete ${folder}: ${readErrorMessage(e)}. Nothing needs it any more; delete it: rm -r '${folder}'`,
      ),
    );
  }
  // A folder that also holds other files stays, and so do its parents.
  await rmdir(join(own, 'environments')).catch(() => undefined);
}

/** Other operations of this process are no news to the user. */
function reportUser(own: string, { file, state, identity }: StateUser, progress: Progress): void {
  if (!identity || (state === 'runs' && identity.pid === process.pid)) return;
  const { pid, host } = identity;
  const who =
    state === 'runs'
      ? `process ${pid} uses it`
      : `process ${pid} on another machine or container (${host}) may use it. If it has ended, remove ${file}`;
  progress.say(`Keeping the unused state in ${own}: ${who}`);
}
