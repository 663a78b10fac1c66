import { createReadStream } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { isModelFile } from '../../system/model-digest.ts';

/** How cloudpickle and dill name the type of compiled code, and how Keras names a layer that has some. */
const MARKS = ['CodeType', '_create_code', '"Lambda"'];
const LONGEST_MARK = 12;
const PICKLE_NAME = /\.(?:pkl|pickle|joblib|dill|sav|p)$/i;
/** The first byte of a pickle (`\x80`; in protocol 0 `(`, `c`, `}` or `]`) and of an archive. Others are compressed. */
const READABLE = new Set([0x80, ...Buffer.from('(c}]P')]);
const MAX_BYTES = 2 ** 30;

/**
 * Finds a file of a model that only the minor version of Python reads that wrote it, because it contains byte code or
 * may contain some. Undefined: the model has none. Reads bytes and loads nothing.
 */
export async function findByteCode(folder: string): Promise<string | undefined> {
  for (const file of await listFiles(folder)) {
    if (await mayHaveByteCode(file)) return relative(folder, file);
  }
  return undefined;
}

async function listFiles(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const lists = entries
    .filter((e) => isModelFile(e.name))
    .map(async (e): Promise<readonly string[]> => {
      const path = join(folder, e.name);
      return e.isDirectory() ? listFiles(path) : e.isFile() || e.isSymbolicLink() ? [path] : [];
    });
  return (await Promise.all(lists)).flat().sort();
}

async function mayHaveByteCode(file: string): Promise<boolean> {
  if (file.endsWith('.pyc')) return true;
  const handle = await open(file);
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(1), 0, 1, 0);
  const { size } = await handle.stat();
  await handle.close();
  const isPickle = PICKLE_NAME.test(file) || buffer[0] === 0x80;
  if (isPickle && bytesRead > 0 && !READABLE.has(buffer[0] ?? 0)) return true;
  return size > MAX_BYTES ? isPickle : containsMark(file);
}

async function containsMark(file: string): Promise<boolean> {
  let rest = '';
  for await (const chunk of createReadStream(file, { encoding: 'latin1', highWaterMark: 1 << 20 })) {
    const text = rest + String(chunk);
    if (MARKS.some((mark) => text.includes(mark))) return true;
    rest = text.slice(-LONGEST_MARK);
  }
  return false;
}
