import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EntityLog, WantedLogs } from './target.ts';

/** Where the output of image builds is kept: `.davit/build-logs/ENDPOINT/TAG.log`. */
export function buildLogFolder(root: string, endpoint: string): string {
  return join(root, '.davit', 'build-logs', endpoint);
}

/** The logs of the images that were built on this machine, newest last; one that was built elsewhere has its log there. */
export async function readBuildLog(root: string, { endpoint, lines }: WantedLogs): Promise<readonly EntityLog[]> {
  const folder = buildLogFolder(root, endpoint);
  const names = (await readdir(folder).catch(() => [])).sort();
  const read = names.map(async (name) => ({
    entity: endpoint,
    revision: name.replace(/\.log$/, ''),
    lines: (await readFile(join(folder, name), 'utf8')).split('\n').filter(Boolean).slice(-lines),
  }));
  return Promise.all(read);
}
