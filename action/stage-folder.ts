import { createHash } from 'node:crypto';
import { lstat, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseLock, renderLock } from '../schemas/lock.ts';

/** Of a report's text; `parseReport` refuses longer ones by itself. */
const REPORT_BYTES = 32 << 20;
const LOCK_BYTES = 4 << 20;
const LOCKS = 1000;
const LOCK_FILE = /^([A-Za-z0-9][A-Za-z0-9_-]{0,62})\.lock$/;

/**
 * The text of a stage's report.json, as it was handed over from where models ran: a plain file of at most 32 MiB in a plain
 * folder. Undefined: there is none. An empty text: there is something else, which is no report.
 */
export async function readStageReport(folder: string): Promise<string | undefined> {
  const found = await lstat(folder).catch(() => undefined);
  if (!found) return undefined;
  return found.isDirectory() ? readPlainFile(join(folder, 'report.json'), REPORT_BYTES) : '';
}

/** Whether a stage's report.json may be read by others than `readStageReport`. */
export async function isOwnReport(folder: string): Promise<boolean> {
  const text = await readStageReport(folder);
  return text !== undefined && text !== '';
}

/** A lock that validate had to make. */
export interface ComputedLock {
  readonly endpoint: string;
  readonly text: string;
  /** Of the text, in hex. */
  readonly sha256: string;
}

/**
 * The locks in a stage's folder that are as Davit writes them, byte for byte, for the endpoint they are called by: no remark
 * of somebody else's, no link, nothing too long. What is else is left out.
 */
export async function readComputedLocks(folder: string): Promise<readonly ComputedLock[]> {
  const locks = join(folder, 'locks');
  for (const path of [folder, locks]) if (!(await lstat(path).catch(() => undefined))?.isDirectory()) return [];
  const names = (await readdir(locks)).flatMap((file) => LOCK_FILE.exec(file)?.[1] ?? []).sort();
  const read = names.slice(0, LOCKS).map(async (endpoint) => {
    const text = await readPlainFile(join(locks, `${endpoint}.lock`), LOCK_BYTES);
    const { lock } = parseLock(text ?? '', `endpoints/${endpoint}.lock`);
    if (!text || lock?.endpoint !== endpoint || renderLock(lock) !== text) return [];
    return [{ endpoint, text, sha256: createHash('sha256').update(text).digest('hex') }];
  });
  return (await Promise.all(read)).flat();
}

/** Undefined: there is none; empty: it is no plain file, or too long to be what it should. */
async function readPlainFile(path: string, bytes: number): Promise<string | undefined> {
  const found = await lstat(path).catch(() => undefined);
  if (!found) return undefined;
  if (!found.isFile() || found.size > bytes) return '';
  const file = await open(path, 'r');
  try {
    const text = Buffer.alloc(found.size);
    const { bytesRead } = await file.read(text, 0, found.size, 0);
    return text.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}
