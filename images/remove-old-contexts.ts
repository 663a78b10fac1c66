import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isAlive } from '../system/is-alive.ts';
import { CONTEXTS } from './plan-image.ts';

/** Longer than any build, with all its tries. */
const KEPT_SECONDS = 24 * 3600;
/** A tag, or what a process of this number was making. */
const CONTEXT = /^[0-9a-f]{12}-[0-9a-f]{12}(?:\.(\d+)-[0-9a-f]{8}\.new)?$/;

/** Removes build contexts of days past, and those that a process which is gone had begun. Other files stay. */
export async function removeOldContexts(root: string): Promise<void> {
  const folder = join(root, CONTEXTS);
  const names = await readdir(folder).catch(() => []);
  await Promise.all(
    names.map(async (name) => {
      const [matched, maker] = CONTEXT.exec(name) ?? [];
      if (matched === undefined) return;
      const path = join(folder, name);
      const old = maker === undefined ? await isOld(path) : !isAlive(Number(maker));
      if (old) await rm(path, { recursive: true, force: true });
    }),
  );
}

async function isOld(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && Date.now() - found.ctimeMs > KEPT_SECONDS * 1000;
}
