import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeWorkingProject } from '../cli/working-project.ts';
import { ENDPOINTS, MODELS } from './endpoint-files.ts';
import type { ServingAccess } from './conformance-target.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'cli', 'main.ts');

/** A project with the endpoints of the suite, for one environment. */
export interface Deployment {
  readonly root: string;
  /** Runs `davit`. Throws an Error with its output if it fails. */
  readonly davit: (...args: readonly string[]) => Promise<string>;
  /** Deploys as a user does: `davit lock`, `davit up`, `davit token`. */
  readonly up: () => Promise<Pick<ServingAccess, 'host' | 'token'>>;
  readonly down: () => Promise<void>;
  /** Removes the project. */
  readonly remove: () => Promise<void>;
}

export async function makeDeployment(environment: string): Promise<Deployment> {
  const project = await makeWorkingProject(MODELS);
  for (const [name, text] of Object.entries(ENDPOINTS))
    await writeFile(join(project.root, 'endpoints', `${name}.yaml`), text);
  const davit = (...args: readonly string[]) => runDavit(project.root, args);
  const names = Object.keys(ENDPOINTS);
  return {
    root: project.root,
    davit,
    up: async () => {
      await davit('lock', ...names);
      await davit('up', ...names, '--environment', environment);
      const { result } = JSON.parse(await davit('token', '--environment', environment, '--json')) as {
        readonly result: Pick<ServingAccess, 'host' | 'token'>;
      };
      return result;
    },
    down: async () => {
      await davit('down', ...names, '--environment', environment);
    },
    remove: project.remove,
  };
}

async function runDavit(cwd: string, args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [MAIN, ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { stdout: '', stderr: '' };
  child.stdout.on('data', (d: Buffer) => (said.stdout += String(d)));
  child.stderr.on('data', (d: Buffer) => (said.stderr += String(d)));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code === 0) return said.stdout;
  throw new Error(`davit ${args.join(' ')} ended with ${code ?? 'a signal'}\n${said.stderr}\n${said.stdout}`);
}
