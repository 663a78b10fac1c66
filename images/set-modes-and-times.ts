import { chmod, lutimes, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { mapConcurrent } from '../system/map-concurrent.ts';

/** 1980-01-01, the earliest date that a zip file can store. images/settle.py uses the same value. */
const TIME_SECONDS = 315_532_800;
const FOLDER_MODE = 0o755;
const PROGRAM_MODE = 0o755;
const FILE_MODE = 0o644;
const CONCURRENCY = 16;

/** Sets fixed modes and times below a folder, so that the same files give the same layers on every machine. */
export async function setModesAndTimes(folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true });
  await mapConcurrent(entries, CONCURRENCY, async (entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await setModesAndTimes(path);
    if (entry.isFile()) await chmod(path, ((await stat(path)).mode & 0o111) === 0 ? FILE_MODE : PROGRAM_MODE);
    await lutimes(path, TIME_SECONDS, TIME_SECONDS);
  });
  await chmod(folder, FOLDER_MODE);
  await lutimes(folder, TIME_SECONDS, TIME_SECONDS);
}
