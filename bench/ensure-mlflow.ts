import { readFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { parseLockedRequirements } from '../python/ensure-front-virtualenv.ts';
import { ensureVirtualenv } from '../python/ensure-virtualenv.ts';
import { findUv } from '../python/find-uv.ts';
import { codePath } from '../system/code.ts';
import { makeChildEnvironment } from '../system/run-process.ts';
import type { BenchContext } from './benchmark.ts';

/** The peer's command and its environment. */
export interface Mlflow {
  readonly program: string;
  readonly env: NodeJS.ProcessEnv;
}

/** The Python version with which the example models were saved. */
const PYTHON = '3.11';

/** Installs the whole of MLflow (`mlflow-requirements.txt`) into a separate virtualenv, with uv on its PATH. */
export async function ensureMlflow({ progress, signal }: BenchContext): Promise<Mlflow> {
  const options = { progress, signal };
  const packages = parseLockedRequirements(await readFile(codePath('bench', 'mlflow-requirements.txt'), 'utf8'));
  const { folder } = await ensureVirtualenv({ python: PYTHON, platform: 'here', packages }, options);
  const uv = await findUv(options);
  const bin = join(folder, 'bin');
  return { program: join(bin, 'mlflow'), env: makeChildEnvironment({ PATH: prependPath(bin, dirname(uv)) }) };
}

/** Returns the PATH with these folders first. */
export function prependPath(...folders: readonly string[]): string {
  return [...folders, process.env['PATH'] ?? ''].join(delimiter);
}
