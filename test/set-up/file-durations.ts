import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { cacheFolder } from '../../system/cache.ts';

/** Seconds of test files, by their path from the repository. */
export type FileDurations = Readonly<Record<string, number>>;

/** Reads how long each test file took when it last passed on this machine, in any checkout. */
export function readFileDurations(file = keptFile()): FileDurations {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as FileDurations;
  } catch {
    return {}; // none are kept yet, or a run was cut off while it wrote them
  }
}

/** Keeps the durations of files that passed and forgets those of files that failed. */
export function keepFileDurations(passed: FileDurations, failed: readonly string[], file = keptFile()): void {
  const kept = Object.entries({ ...readFileDurations(file), ...passed }).filter(([path]) => !failed.includes(path));
  mkdirSync(dirname(file), { recursive: true });
  const fresh = `${file}.${process.pid}`;
  writeFileSync(fresh, JSON.stringify(Object.fromEntries(kept)));
  renameSync(fresh, file);
}

/** Sorts the longest first, so that no core waits for one at the end. Those without a duration come before them. */
export function sortByDuration<T>(files: readonly T[], secondsOf: (file: T) => number | undefined): T[] {
  const seconds = new Map(files.map((file) => [file, secondsOf(file) ?? Infinity]));
  return files.toSorted((a, b) => {
    const [first, second] = [seconds.get(a) ?? 0, seconds.get(b) ?? 0];
    return first === second ? 0 : second - first;
  });
}

function keptFile(): string {
  return cacheFolder('test', 'file-durations.json');
}
