import { readdir, readFile, readlink } from 'node:fs/promises';
import { cacheFolder } from '../../system/cache.ts';
import { runProcess } from '../../system/run-process.ts';

/**
 * Finds which paths of the cache a running process uses: in its command line, its environment, as its working folder, as
 * its program or as a library in its memory.
 */
export async function findUsedPaths(paths: readonly string[]): Promise<ReadonlySet<string>> {
  const texts = process.platform === 'linux' ? await readProcesses() : await listCommands();
  return findPathsInTexts(texts, paths, cacheFolder());
}

/**
 * Finds which paths below `root` the texts contain. Reads each text once, whatever the number of paths: every place where
 * `root` occurs can begin one path of each length.
 */
export function findPathsInTexts(texts: Iterable<string>, paths: readonly string[], root: string): ReadonlySet<string> {
  const wanted = new Set(paths);
  const lengths = [...new Set(paths.map((path) => path.length))];
  const found = new Set<string>();
  for (const text of new Set(texts)) {
    for (let start = text.indexOf(root); start >= 0; start = text.indexOf(root, start + 1)) {
      for (const length of lengths) {
        const path = text.slice(start, start + length);
        if (wanted.has(path)) found.add(path);
      }
    }
  }
  return found;
}

/** Only what mentions the cache is kept, because the memory of some processes names thousands of files. */
async function readProcesses(): Promise<readonly string[]> {
  const root = cacheFolder();
  const own = String(process.pid);
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && name !== own);
  const texts: string[] = [];
  for (const pid of pids) {
    const parts = await Promise.all([
      ...['cmdline', 'environ', 'maps'].map((name) => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '')),
      ...['cwd', 'exe'].map((name) => readlink(`/proc/${pid}/${name}`).catch(() => '')),
    ]);
    texts.push(...parts.filter((part) => part.includes(root)));
  }
  return texts;
}

async function listCommands(): Promise<readonly string[]> {
  const { stdout } = await runProcess('ps', ['-axwwo', 'command'], { limitSeconds: 5 });
  return [stdout];
}
