import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
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

/** A working folder for tools: its empty uv.toml ends uv's search for settings, and Python finds no modules in it. */
export async function makeNeutralFolder(): Promise<string> {
  const folder = cacheFolder('neutral');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'uv.toml'), '');
  return folder;
}
