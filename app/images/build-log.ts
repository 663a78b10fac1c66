import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { writeFileAtomically } from '../../system/atomic-files.ts';
import type { Progress } from '../../system/progress.ts';
import type { EntityLog, WantedLogs } from '../targets/target.ts';

/** The output of image builds, kept for later. */
export interface BuildLog {
  /** The same progress, with every line recorded. Noise of Docker's builder is only recorded, not shown. */
  readonly listen: (progress: Progress) => Progress;
  /** Starts a build, perhaps a retry: `read` returns the lines from now on. */
  readonly begin: () => void;
  readonly keep: () => Promise<void>;
  readonly read: (reference: string) => ImageLog;
}

export interface ImageLog {
  /** As a user would type it: `.davit/build-logs/iris/TAG.log`. */
  readonly file: string;
  readonly lines: readonly string[];
}

/** Digests, times, preparations of steps and layers in transfer, which are of no use to a person. */
const NOISE =
  /^(#\d+ (sha256:|DONE |CACHED|transferring |exporting |writing |naming |resolve |extracting |preparing |\[internal\] |importing |\.\.\.)|[0-9a-f]{12}: )/;
const STEP = /^#\d+ /;

/** Opens a log for each image of an endpoint. */
export function openBuildLog(root: string, endpoint: string, references: readonly string[]): BuildLog {
  const logs = new Map(references.map((reference) => [reference, [] as string[]]));
  const begun = new Map<string, number>();
  const pathOf = (reference: string) =>
    join(folderOf(root, endpoint), `${reference.split(':').at(-1) ?? 'latest'}.log`);
  const hear = (line: string, progress: Progress) => {
    const said = references.find((reference) => line.startsWith(`${reference}: `));
    if (said === undefined) {
      for (const lines of logs.values()) lines.push(line); // about all of them
      progress.say(line);
      return;
    }
    const words = line.slice(said.length + 2);
    logs.get(said)?.push(words);
    if (NOISE.test(words)) return;
    // With one image only, the steps need no image name.
    progress.say(STEP.test(words) && references.length === 1 ? words : line);
  };
  return {
    listen: (progress) => ({ say: (line) => line.split('\n').forEach((one) => hear(one, progress)) }),
    begin: () => logs.forEach((lines, reference) => begun.set(reference, lines.length)),
    keep: async () => {
      for (const [reference, lines] of logs) {
        await mkdir(dirname(pathOf(reference)), { recursive: true });
        await writeFileAtomically(pathOf(reference), `${lines.join('\n')}\n`);
      }
    },
    read: (reference) => ({
      file: relative(root, pathOf(reference)),
      lines: (logs.get(reference) ?? []).slice(begun.get(reference)),
    }),
  };
}

/** Whether a line is useful to a person. */
export function isInformative(line: string): boolean {
  return line.trim() !== '' && !NOISE.test(line);
}

/**
 * The logs of images that were built on this machine, newest last. The log of another image is on the machine that
 * built it.
 */
export async function readBuildLog(root: string, { endpoint, lines }: WantedLogs): Promise<readonly EntityLog[]> {
  const folder = folderOf(root, endpoint);
  const names = await readdir(folder).catch(() => []);
  const dated = await Promise.all(names.map(async (name) => ({ name, at: (await stat(join(folder, name))).mtimeMs })));
  const read = dated
    .sort((a, b) => a.at - b.at)
    .map(async ({ name }) => ({
      entity: endpoint,
      revision: name.replace(/\.log$/, ''),
      lines: (await readFile(join(folder, name), 'utf8')).split('\n').filter(Boolean).slice(-lines),
    }));
  return Promise.all(read);
}

function folderOf(root: string, endpoint: string): string {
  return join(root, '.davit', 'build-logs', endpoint);
}
