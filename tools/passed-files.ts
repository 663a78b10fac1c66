import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomically } from '../system/atomic-files.ts';
import { cacheFolder } from '../system/cache.ts';
import { CODE_FOLDER } from '../system/code.ts';
import { listFiles, listImports } from './list-files.ts';

/** What the result of a check on one file depends on, besides the file. */
export interface CheckInputs {
  /** The program of the check. All that it imports counts too. */
  readonly checker: string;
  /** Configuration and the wanted versions of packages. */
  readonly settings: readonly string[];
  /** The check reads types: also the files that a file imports, directly or not, and those that change types elsewhere. */
  readonly readsTypes: boolean;
}

/** Enough for dozens of branches. */
const MAX_KEYS = 50_000;
/** The installed versions of packages. Git ignores it. */
const INSTALLED = 'node_modules/.package-lock.json';
/** Settings of types, in any folder. */
const TYPE_SETTINGS = /(?:^|\/)(?:tsconfig[^/]*|package)\.json$/;
const AMBIENT = /^\s*declare (?:global|module)\b/m;

/**
 * Runs a check on the files that have not passed it as they are now. The key of a passed file is a hash of all that its
 * result depends on, so it holds in every checkout on this machine. `check` returns the files that fail.
 */
export async function checkUnpassed(
  name: string,
  inputs: CheckInputs,
  check: (files: readonly string[]) => Promise<ReadonlySet<string>>,
  root = CODE_FOLDER,
): Promise<void> {
  const passed = readPassedKeys(name);
  const keys = await makeKeys(root, inputs);
  const waiting = [...keys].filter(([, key]) => !passed.has(key)).map(([file]) => file);
  if (waiting.length === 0) return;
  const failed = await check(waiting);
  const after = await makeKeys(root, inputs); // the check may have read what somebody wrote meanwhile
  const fresh = waiting.flatMap((file) => {
    const key = keys.get(file);
    return key !== undefined && key === after.get(file) && !failed.has(file) ? [key] : [];
  });
  await addPassedKeys(name, fresh);
  if (failed.size > 0) process.exitCode = 1;
}

/** Reads the keys of all that has passed a check on this machine. */
export function readPassedKeys(name: string): ReadonlySet<string> {
  const list = listPath(name);
  return new Set(existsSync(list) ? readFileSync(list, 'utf8').split('\n').filter(Boolean) : []);
}

/** Keeps what another checkout has added meanwhile, except for a write at the same moment, which costs a repeated check. */
export async function addPassedKeys(name: string, keys: readonly string[]): Promise<void> {
  const all = new Set([...readPassedKeys(name), ...keys]);
  await writeFileAtomically(listPath(name), [...all].slice(-MAX_KEYS).join('\n'));
}

function listPath(name: string): string {
  return cacheFolder('test', `passed-${name}.txt`);
}

/** Makes the key of each file to check. */
async function makeKeys(
  root: string,
  { checker, settings, readsTypes }: CheckInputs,
): Promise<ReadonlyMap<string, string>> {
  const files = (await listFiles(root)).filter((file) => isRegularFile(root, file));
  const programs = files.filter((file) => file.endsWith('.ts'));
  const imports = new Map(programs.map((file) => [file, listImports(file, root)]));
  const describe = makeDescribe(root);
  const checked = readsTypes ? programs : files;
  const typed = readsTypes
    ? [...files.filter((file) => TYPE_SETTINGS.test(file)), ...programs.filter((file) => isAmbient(root, file))]
    : [];
  const everywhere = [...settings, INSTALLED, ...listReachable(checker, imports), ...typed];
  const common = hashTexts([process.version, ...everywhere.map(describe)]);
  const listInputs = (file: string) => (readsTypes ? listReachable(file, imports) : [file]);
  return new Map(checked.map((file) => [file, hashTexts([common, file, ...listInputs(file).map(describe)])]));
}

/** Makes the function that describes a file by its path and content. Reads each file once. */
function makeDescribe(root: string): (file: string) => string {
  const hashes = new Map<string, string>();
  return (file) => {
    const hash =
      hashes.get(file) ?? (isRegularFile(root, file) ? hashTexts([readFileSync(join(root, file))]) : 'no file');
    hashes.set(file, hash);
    return `${file} ${hash}`;
  };
}

/** Git also lists links to folders, and files that were deleted. */
function isRegularFile(root: string, file: string): boolean {
  return statSync(join(root, file), { throwIfNoEntry: false })?.isFile() === true;
}

/** Returns a file and all that it imports, sorted. */
function listReachable(file: string, imports: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const reached = new Set([file]);
  for (const path of reached) for (const next of imports.get(path) ?? []) reached.add(next);
  return [...reached].sort();
}

function isAmbient(root: string, file: string): boolean {
  return file.endsWith('.d.ts') || AMBIENT.test(readFileSync(join(root, file), 'utf8'));
}

/** Makes the key of what a check reads. */
export function hashTexts(texts: readonly (string | Buffer)[]): string {
  const hash = createHash('sha256');
  for (const text of texts) hash.update(text).update('\0');
  return hash.digest('hex').slice(0, 40);
}
