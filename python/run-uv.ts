import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomically } from '../system/atomic-files.ts';
import { cacheFolder } from '../system/cache.ts';
import { makeChildEnvironment, type ProcessResult, runProcess } from '../system/run-process.ts';
import { findUv, type PythonOptions } from './find-uv.ts';

/** Settings of the user that would start code of packages. uv refuses an option that contradicts a variable. */
const UNSET = Object.fromEntries(
  ['COMPILE_BYTECODE', 'NO_BINARY', 'NO_BINARY_PACKAGE', 'ONLY_BINARY', 'NO_BUILD', 'NO_BUILD_PACKAGE'].map((name) => [
    `UV_${name}`,
    undefined,
  ]),
);

/**
 * Runs uv to its end. It uses the settings of the user and of the machine, but none of the folder where Davit runs,
 * because that may be a pull request's checkout.
 */
export async function runUv(
  args: readonly string[],
  { progress, signal, limitSeconds }: PythonOptions & { readonly limitSeconds: number },
): Promise<ProcessResult> {
  const uv = await findUv({ ...(progress && { progress }), signal });
  const run = await runProcess(uv, args, {
    cwd: await makeNeutralFolder(),
    env: makeChildEnvironment({ UV_NO_PROGRESS: '1', ...UNSET }),
    limitSeconds,
    ...(signal && { signal }),
  });
  if (/^Usage: uv/m.test(run.stderr)) throw new Error(`Cannot run uv: ${run.stderr.trim().split('\n')[0] ?? ''}`);
  return run;
}

/** They end uv's search for settings and workspaces in the folders above. */
const NEUTRAL_FILES = { 'pyproject.toml': '[tool.uv.workspace]\n', 'uv.toml': '\n' };

/** A working folder for uv. */
async function makeNeutralFolder(): Promise<string> {
  const folder = cacheFolder('neutral');
  for (const [name, text] of Object.entries(NEUTRAL_FILES)) {
    const file = join(folder, name);
    if ((await readFile(file, 'utf8').catch(() => '')) !== text) await writeFileAtomically(file, text);
  }
  return folder;
}
