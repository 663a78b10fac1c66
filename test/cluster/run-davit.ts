import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const MAIN = join(import.meta.dirname, '..', '..', 'cli', 'main.ts');

export interface DavitRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs `davit` in a project and returns its result, even if it fails. `hear` receives each part of its progress, and
 * the process.
 */
export async function runDavit(
  cwd: string,
  args: readonly string[],
  hear: (text: string, child: ChildProcess) => void = () => undefined,
): Promise<DavitRun> {
  const child = spawn(process.execPath, [MAIN, ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const said = { stdout: '', stderr: '' };
  child.stdout.on('data', (d: Buffer) => (said.stdout += String(d)));
  child.stderr.on('data', (d: Buffer) => {
    said.stderr += String(d);
    hear(String(d), child);
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...said };
}
