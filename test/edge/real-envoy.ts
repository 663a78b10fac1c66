import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeBootstrap } from '../../edge/envoy/bootstrap.ts';
import type { BootstrapOptions } from '../../edge/envoy/bootstrap-options.ts';
import { ensureWheels } from '../../cluster/registry-images/wheels.ts';
import { SILENT } from '../../system/progress.ts';
import { runProcess } from '../../system/run-process.ts';
import { ask } from './start-test-edge.ts';
import { until } from './until.ts';

/** An Envoy that runs with the edge's own configuration. */
export interface RealEnvoy {
  readonly options: BootstrapOptions;
  /** The access log's lines. */
  readonly lines: string[];
  readonly stop: () => Promise<void>;
}

/** The real program; without it the tests fail. */
async function findEnvoy(): Promise<string> {
  return (await ensureWheels({ progress: SILENT })).envoy;
}

/** Envoy's own judgement of a configuration: what is wrong with it, or ''. */
export async function validate(config: object): Promise<string> {
  return inFolder(async (folder) => {
    const file = join(folder, 'envoy.json');
    await writeFile(file, JSON.stringify(config));
    const ran = await runProcess(await findEnvoy(), ['--mode', 'validate', '-c', file, '--log-level', 'error']);
    return ran.code === 0 ? '' : ran.stderr;
  });
}

export async function startEnvoy(options: BootstrapOptions): Promise<RealEnvoy> {
  const folder = await mkdtemp(join(tmpdir(), 'davit-envoy-'));
  const file = join(folder, 'envoy.json');
  await writeFile(file, JSON.stringify(makeBootstrap(options)));
  const flags = ['--concurrency', '1', '--log-level', 'warning', '--disable-hot-restart'];
  const envoy = spawn(await findEnvoy(), ['-c', file, ...flags], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: string[] = [];
  envoy.stdout.setEncoding('utf8').on('data', (text: string) => lines.push(...text.split('\n').filter(Boolean)));
  const isReady = () =>
    ask(options.healthPort, 'GET', '/ready').then(
      (a) => a.status === 200,
      () => false,
    );
  await until(isReady, 20_000);
  return { options, lines, stop: () => stop(envoy, folder) };
}

async function stop(envoy: ChildProcess, folder: string): Promise<void> {
  if (envoy.exitCode === null && envoy.kill('SIGKILL')) await once(envoy, 'exit');
  await rm(folder, { recursive: true, force: true });
}

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'davit-envoy-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
