import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { stressPython } from './environments.ts';

/** The server to which some models keep a connection. */
export interface Service {
  /** Environment variables with the server's port, for the models. */
  readonly env: NodeJS.ProcessEnv;
  readonly stop: () => Promise<void>;
}

export async function startService(): Promise<Service> {
  const python = await stressPython('light');
  const child = spawn(python, [join(import.meta.dirname, 'service.py')], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const stop = async () => {
    const ended = once(child, 'exit');
    child.stdin.end();
    await ended;
  };
  return { env: { STRESS_SERVICE: line.toString().trim() }, stop };
}
