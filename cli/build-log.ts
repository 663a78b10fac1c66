import { mkdir, readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { writeFileAtomically } from '../system/atomic-files.ts';
import type { Progress } from '../system/progress.ts';
import type { EntityLog, WantedLogs } from './target.ts';

/** What is said while an image is built, kept for who asks later. */
export interface BuildLog {
  /** As a user would type it: `.davit/build-logs/iris/TAG.log`. */
  readonly file: string;
  /** The same progress, with every line noted; what only Docker's builder cares for is noted alone. */
  readonly listen: (progress: Progress) => Progress;
  readonly keep: () => Promise<void>;
}

/** Digests and times of each step, which say nothing to a person. */
const NOISE = /#\d+ (?:sha256:|DONE |CACHED|transferring |exporting |writing |naming |resolve |extracting )/;

export function openBuildLog(root: string, endpoint: string, tag: string): BuildLog {
  const path = join(folderOf(root, endpoint), `${tag}.log`);
  const lines: string[] = [];
  return {
    file: relative(root, path),
    listen: (progress) => ({
      say: (line) => {
        lines.push(line);
        if (!NOISE.test(line)) progress.say(line);
      },
    }),
    keep: async () => {
      await mkdir(dirname(path), { recursive: true });
      await writeFileAtomically(path, `${lines.join('\n')}\n`);
    },
  };
}

/** The logs of the images that were built on this machine, newest last; one that was built elsewhere has its log there. */
export async function readBuildLog(root: string, { endpoint, lines }: WantedLogs): Promise<readonly EntityLog[]> {
  const folder = folderOf(root, endpoint);
  const names = (await readdir(folder).catch(() => [])).sort();
  const read = names.map(async (name) => ({
    entity: endpoint,
    revision: name.replace(/\.log$/, ''),
    lines: (await readFile(join(folder, name), 'utf8')).split('\n').filter(Boolean).slice(-lines),
  }));
  return Promise.all(read);
}

function folderOf(root: string, endpoint: string): string {
  return join(root, '.davit', 'build-logs', endpoint);
}
