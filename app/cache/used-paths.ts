import { readdir, readFile, readlink } from 'node:fs/promises';
import { cacheFolder } from '../../system/cache.ts';
import { runProcess } from '../../system/run-process.ts';

/**
 * Returns a function that says whether a running process uses a path: in its command line, its environment, as its
 * working folder, as its program or as a library in its memory.
 */
export async function findUsedPaths(): Promise<(path: string) => boolean> {
  const texts = process.platform === 'linux' ? await readProcesses() : await listCommands();
  const all = texts.join('\0');
  return (path) => all.includes(path);
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
