import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { writeFileAtomically } from '../system/atomic-files.ts';
import { cacheFolder } from '../system/cache.ts';
import { codePath } from '../system/code.ts';
import { listFiles, listImports } from './list-files.ts';

/** What the result of a check on one file depends on, besides the file. */
export interface CheckInputs {
  /** Configuration and the versions of packages. */
  readonly settings: readonly string[];
  /** The check reads types: also the files that a file imports, directly or not, and those that change types elsewhere. */
  readonly readsTypes: boolean;
}

/** Enough for dozens of branches. */
const MAX_KEYS = 50_000;
const AMBIENT = /^\s*declare (?:global|module)\b/m;

/**
 * Runs a check on the files that have not passed it as they are now. The key of a passed file is a hash of all that its
 * result depends on, so it holds in every checkout on this machine. `check` returns the files that fail.
 */
export async function checkUnpassed(
  name: string,
  { settings, readsTypes }: CheckInputs,
  check: (files: readonly string[]) => Promise<ReadonlySet<string>>,
): Promise<void> {
  const files = (await listFiles()).filter((file) => existsSync(codePath(file)));
  const hashes = new Map(files.map((file) => [file, hashTexts([readFileSync(codePath(file))])]));
  const typed = readsTypes ? files.filter((file) => file.endsWith('.ts')) : files;
  const imports = new Map(readsTypes ? typed.map((file) => [file, listImports(file)]) : []);
  const everywhere = [...settings, ...(readsTypes ? typed.filter(isAmbient) : [])].map(
    (file) => `${file} ${hashes.get(file) ?? ''}`,
  );
  const common = hashTexts([process.version, ...everywhere]);
  const makeKey = (file: string) =>
    hashTexts([common, file, ...listReachable(file, imports).map((path) => `${path} ${hashes.get(path) ?? ''}`)]);
  const keys = new Map(typed.map((file) => [file, makeKey(file)]));
  const list = cacheFolder('test', `passed-${name}.txt`);
  const passed = new Set(existsSync(list) ? readFileSync(list, 'utf8').split('\n').filter(Boolean) : []);
  const waiting = typed.filter((file) => !passed.has(keys.get(file) ?? ''));
  if (waiting.length === 0) return;
  const failed = await check(waiting);
  const fresh = waiting.filter((file) => !failed.has(file)).flatMap((file) => keys.get(file) ?? []);
  await writeFileAtomically(list, [...passed, ...fresh].slice(-MAX_KEYS).join('\n'));
  if (failed.size > 0) process.exitCode = 1;
}

/** Returns a file and all that it imports, sorted. */
function listReachable(file: string, imports: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const reached = new Set([file]);
  for (const path of reached) for (const next of imports.get(path) ?? []) reached.add(next);
  return [...reached].sort();
}

function isAmbient(file: string): boolean {
  return file.endsWith('.d.ts') || AMBIENT.test(readFileSync(codePath(file), 'utf8'));
}

function hashTexts(texts: readonly (string | Buffer)[]): string {
  const hash = createHash('sha256');
  for (const text of texts) hash.update(text).update('\0');
  return hash.digest('hex').slice(0, 40);
}
