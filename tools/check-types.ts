// Checks types. The compiler records what it has checked, by content. A copy of the record of the last correct state is in
// Davit's cache, so that a new checkout on this machine begins with it.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { writeFileAtomically } from '../system/atomic-files.ts';
import { cacheFolder } from '../system/cache.ts';
import { CODE_FOLDER, codePath } from '../system/code.ts';

/** The paths in it are relative to its folder, so it holds at this place of every checkout. */
const RECORD = codePath('node_modules', '.cache', 'tsc.json');
const KEPT = cacheFolder('test', 'tsc.json');
const OPTIONS = ['--noEmit', '--incremental', '--tsBuildInfoFile', RECORD];

if (!existsSync(RECORD) && existsSync(KEPT)) await writeFileAtomically(RECORD, readFileSync(KEPT, 'utf8'));
const before = readRecord();
const compiler = codePath('node_modules', 'typescript', 'bin', 'tsc');
const { status } = spawnSync(process.execPath, [compiler, ...OPTIONS], { cwd: CODE_FOLDER, stdio: 'inherit' });
const after = readRecord();
if (status === 0 && after !== undefined && (after !== before || !existsSync(KEPT)))
  await writeFileAtomically(KEPT, after);
process.exitCode = status ?? 1;

function readRecord(): string | undefined {
  return existsSync(RECORD) ? readFileSync(RECORD, 'utf8') : undefined;
}
