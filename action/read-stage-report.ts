import { createHash } from 'node:crypto';
import { lstat, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseLock, renderLock } from '../schemas/lock/lock.ts';

/** Limit of a report's text; `parseReport` itself also refuses longer ones. */
const REPORT_BYTES = 32 << 20;
const LOCK_BYTES = 4 << 20;
const MAX_LOCKS = 1000;
const LOCK_FILE = /^([A-Za-z0-9][A-Za-z0-9_-]{0,62})\.lock$/;

/**
 * The text of a stage's report.json, which comes from where models ran: a plain file of at most 32 MiB in a plain
 * folder. Undefined: there is no report. Empty: the path is not a valid report file.
 */
export async function readStageReport(folder: string): Promise<string | undefined> {
  const found = await lstat(folder).catch(() => undefined);
  if (!found) return undefined;
  return found.isDirectory() ? readPlainFile(join(folder, 'report.json'), REPORT_BYTES) : '';
}

/** Whether a stage's report.json is a plain file that others may read too. */
export async function hasReport(folder: string): Promise<boolean> {
  const text = await readStageReport(folder);
  return text !== undefined && text !== '';
}

/** A lock that validate has made. */
export interface ComputedLock {
  readonly endpoint: string;
  readonly text: string;
  /** SHA-256 of the text, in hex. */
  readonly sha256: string;
}

/**
 * The locks in a stage's folder that are byte for byte as Davit writes them, for the endpoint that the file names: no
 * added comment, no link, nothing too long. Any others are left out.
 */
export async function readComputedLocks(folder: string): Promise<readonly ComputedLock[]> {
  const locks = join(folder, 'locks');
  for (const path of [folder, locks]) if (!(await lstat(path).catch(() => undefined))?.isDirectory()) return [];
  const names = (await readdir(locks)).flatMap((file) => LOCK_FILE.exec(file)?.[1] ?? []).sort();
  const read = names.slice(0, MAX_LOCKS).map(async (endpoint) => {
    const text = await readPlainFile(join(locks, `${endpoint}.lock`), LOCK_BYTES);
    const { lock } = parseLock(text ?? '', `endpoints/${endpoint}.lock`);
    if (!text || lock?.endpoint !== endpoint || renderLock(lock) !== text) return [];
    return [{ endpoint, text, sha256: createHash('sha256').update(text).digest('hex') }];
  });
  return (await Promise.all(read)).flat();
}

/** Undefined: there is no file; empty: it is not a plain file, or is too long. */
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
