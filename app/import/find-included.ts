import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

const MAX_FILES = 10_000;

/** The files below a folder that match one of the patterns, which may have `*`, `?` and `**`. */
export async function findIncluded(folder: string, patterns: readonly string[]): Promise<Included> {
  if (patterns.length === 0) return { files: [], isComplete: true };
  const isDeep = patterns.some((pattern) => pattern.includes('**'));
  const depth = isDeep ? Infinity : Math.max(...patterns.map((pattern) => pattern.split('/').length));
  const files = await listBelow(folder, '', depth, []);
  const wanted = patterns.map((pattern) => pattern.replace(/^\.\//, '').split('/'));
  const matching = files.filter((file) => wanted.some((steps) => matchesSteps(file.split('/'), steps)));
  return { files: matching.map((file) => join(folder, file)), isComplete: files.length < MAX_FILES };
}

interface Included {
  readonly files: readonly string[];
  /** Whether the whole folder was searched. */
  readonly isComplete: boolean;
}

async function listBelow(folder: string, prefix: string, depth: number, found: string[]): Promise<readonly string[]> {
  const entries = await readdir(join(folder, prefix), { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    const name = prefix === '' ? entry.name : `${prefix}/${entry.name}`;
    if (found.length >= MAX_FILES) return found;
    if (!entry.isDirectory()) found.push(name);
    else if (depth > 1 && !SKIPPED_FOLDERS.includes(entry.name)) await listBelow(folder, name, depth - 1, found);
  }
  return found;
}

const SKIPPED_FOLDERS = ['node_modules', '.git', '.databricks', '.venv'];

function matchesSteps([name, ...names]: readonly string[], [step, ...steps]: readonly string[]): boolean {
  if (step === undefined) return name === undefined;
  if (step === '**')
    return (
      matchesSteps(name === undefined ? [] : [name, ...names], steps) ||
      (name !== undefined && matchesSteps(names, [step, ...steps]))
    );
  return name !== undefined && matchesName(name, step) && matchesSteps(names, steps);
}

/** `*` and `?` in the name of a file. Goes back only to the last `*`, so it takes no exponential time. */
function matchesName(name: string, pattern: string): boolean {
  let [at, star, retry] = [0, -1, 0];
  let step = 0;
  while (at < name.length) {
    if (pattern[step] === '*') [star, retry, step] = [step, at, step + 1];
    else if (pattern[step] === '?' || pattern[step] === name[at]) [at, step] = [at + 1, step + 1];
    else if (star >= 0) [retry, at, step] = [retry + 1, retry + 1, star + 1];
    else return false;
  }
  return pattern.slice(step).replaceAll('*', '') === '';
}
