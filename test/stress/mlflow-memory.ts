import { dirname, join } from 'node:path';
import { sumPssMib } from '../../bench/processes.ts';
import { startServer } from '../../bench/server-process.ts';
import { makeChildEnvironment } from '../../system/run-process.ts';
import type { StressModel } from './make-models.ts';
import type { Service } from './start-service.ts';

/** Measures the proportional set size of `mlflow models serve`, in the model's own virtualenv, after one answer. */
export async function measureMlflowMemory(
  { python, model }: StressModel,
  { workers, service }: { readonly workers: number; readonly service: Service },
): Promise<number> {
  const bin = dirname(python);
  const command = {
    program: join(bin, 'mlflow'),
    args: (port: number) => [
      ...['models', 'serve', '-m', model, '--env-manager', 'local'],
      ...['--port', String(port), '--workers', String(workers)],
    ],
    env: makeChildEnvironment({ ...service.env, PATH: `${bin}:${process.env['PATH'] ?? ''}` }),
  };
  const { signal } = new AbortController();
  const silent = { progress: { say: () => undefined }, seconds: undefined, fault: () => undefined };
  const server = await startServer(command, { ...silent, signal });
  try {
    return sumPssMib(server.tree());
  } finally {
    await server.stop();
  }
}
