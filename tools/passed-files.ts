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
  inputs: CheckInputs,
  check: (files: readonly string[]) => Promise<ReadonlySet<string>>,
): Promise<void> {
  const list = cacheFolder('test', `passed-${name}.txt`);
  const passed = new Set(existsSync(list) ? readFileSync(list, 'utf8').split('\n').filter(Boolean) : []);
  const keys = await makeKeys(inputs);
  const waiting = [...keys].filter(([, key]) => !passed.has(key)).map(([file]) => file);
  if (waiting.length === 0) return;
  const failed = await check(waiting);
  const after = await makeKeys(inputs); // the check may have read what somebody wrote meanwhile
  const fresh = waiting.flatMap((file) => {
    const key = keys.get(file);
    return key !== undefined && key === after.get(file) && !failed.has(file) ? [key] : [];
  });
  await writeFileAtomically(list, [...passed, ...fresh].slice(-MAX_KEYS).join('\n'));
  if (failed.size > 0) process.exitCode = 1;
}

/** Makes the key of each file to check. */
async function makeKeys({ settings, readsTypes }: CheckInputs): Promise<ReadonlyMap<string, string>> {
  const files = (await listFiles()).filter((file) => existsSync(codePath(file)));
  const hashes = new Map(files.map((file) => [file, hashTexts([readFileSync(codePath(file))])]));
  const describe = (file: string) => `${file} ${hashes.get(file) ?? ''}`;
  const checked = readsTypes ? files.filter((file) => file.endsWith('.ts')) : files;
  const imports = new Map(readsTypes ? checked.map((file) => [file, listImports(file)]) : []);
  const everywhere = [...settings, ...(readsTypes ? checked.filter(isAmbient) : [])];
  const common = hashTexts([process.version, ...everywhere.map(describe)]);
  return new Map(
    checked.map((file) => [file, hashTexts([common, file, ...listReachable(file, imports).map(describe)])]),
  );
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
