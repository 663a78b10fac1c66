import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isAlive } from '../system/is-alive.ts';
import { CONTEXTS_FOLDER } from './plan-image.ts';

/** Longer than any build with all its retries. */
const RETENTION_SECONDS = 24 * 3600;
/** Matches a tag, also a shorter one of older code, or an unfinished context with the id of its process. */
const CONTEXT = /^(?:[0-9a-f]{12}-[0-9a-f]{12}|[0-9a-f]{32}-[0-9a-f]{32})(?:\.(\d+)-[0-9a-f]{8}\.new)?$/;

/** Removes contexts older than a day, and unfinished ones whose process has ended. Keeps all other files. */
export async function removeOldContexts(root: string): Promise<void> {
  const folder = join(root, CONTEXTS_FOLDER);
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
  return found !== undefined && Date.now() - found.ctimeMs > RETENTION_SECONDS * 1000;
}
