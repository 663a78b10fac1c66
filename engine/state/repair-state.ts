import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Backend, stacksFolder } from './backend.ts';

/**
 * Makes the state readable again after an engine was killed during a write. The engine writes state whole or not at
 * all, but not the small `.attrs` beside each file (content type and digest, which nothing here reads). With an empty
 * `.attrs` it refuses the state with "EOF". Incomplete ones are removed; nothing else is touched. `metadata=skip` in
 * the backend's URL makes none.
 */
export async function repairState(backend: Backend): Promise<void> {
  const stacks = stacksFolder(backend);
  if (!stacks) return;
  const names = await readdir(stacks).catch(() => []);
  const files = names.filter((name) => name.endsWith('.attrs')).map((name) => join(stacks, name));
  await Promise.all([...files, join(stacks, '..', '..', 'meta.yaml.attrs')].map(removeIncompleteFile));
}

async function removeIncompleteFile(file: string): Promise<void> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return; // removed meanwhile
  try {
    JSON.parse(text);
  } catch {
    await rm(file, { force: true });
  }
}
