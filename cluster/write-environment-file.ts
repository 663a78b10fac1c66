import { createHash } from 'node:crypto';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { writeFileAtomically } from '../system/atomic-files.ts';

/** The file of the environment "cluster", relative to the project. */
export const ENVIRONMENT_FILE = 'environments/cluster.yaml';
const SIGNATURE = /^# Made by "davit cluster up" \(([0-9a-f]{12})\)[^\n]*\n/;

/** The result: `theirs` means that somebody else wrote or edited the file, so it was left unchanged. */
export type WriteResult = 'written' | 'unchanged' | 'theirs';

/** Writes the environment file of the cluster into a project. Never changes a file that it did not write. */
export async function writeEnvironmentFile(root: string, text: string): Promise<WriteResult> {
  const file = join(root, ENVIRONMENT_FILE);
  const before = await read(file);
  const signed = addSignature(text);
  if (before === signed) return 'unchanged';
  if (before !== undefined && !hasValidSignature(before)) return 'theirs';
  await mkdir(dirname(file), { recursive: true });
  await writeFileAtomically(file, signed);
  return 'written';
}

/** Removes the file if nobody has edited it; returns whether it did. */
export async function removeEnvironmentFile(root: string): Promise<boolean> {
  const file = join(root, ENVIRONMENT_FILE);
  const text = await read(file);
  if (text === undefined || !hasValidSignature(text)) return false;
  await rm(file, { force: true });
  return true;
}

/** The first line names the writer and has a checksum of the rest, which shows later edits. */
function addSignature(text: string): string {
  return `# Made by "davit cluster up" (${checksum(text)}): "davit cluster down" removes it, unless you change it\n${text}`;
}

function hasValidSignature(signed: string): boolean {
  const found = SIGNATURE.exec(signed);
  return found !== null && found[1] === checksum(signed.slice(found[0].length));
}

function checksum(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}

function read(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch((e: unknown) => {
    if ((e as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw e;
  });
}
