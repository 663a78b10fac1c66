import { once } from 'node:events';
import { join } from 'node:path';
import { killProcesses, listProcessTree, sumPssMib } from '../../bench/processes.ts';
import { runProcess } from '../../system/run-process.ts';
import { startServer, status, type RunningServer } from '../runtime/start-server.ts';
import type { StressModel } from './make-models.ts';
import type { Service } from './start-service.ts';

export interface StressOptions {
  readonly workers: number;
  readonly clients: number;
  readonly service: Service;
  /** Further arguments of the model server. */
  readonly args?: readonly string[];
}

/** The results of all requests to one model. */
export interface StressResult {
  readonly name: string;
  /** The worker mode in the ready event: shared, separate or one. Undefined if the server did not start. */
  readonly mode: string | undefined;
  readonly found: readonly string[];
  readonly asked: number;
  /** The number of answers with status 200 that differ from MLflow's. */
  readonly wrong: number;
  /** The number of requests without an answer of status 200. */
  readonly failed: number;
  /** A sentence for each of the first three wrong answers and failed requests. */
  readonly first: readonly string[];
  readonly startSeconds: number;
  readonly seconds: number;
  /** Proportional set size of the server's tree after the load. */
  readonly memoryMib: number;
}

/** The maximum time without any answer: it ends a run whose model hangs, but no run on a slow machine. */
const LIMIT_SECONDS = 120;
const WORKERS_LIMIT_MILLISECONDS = 120_000;
const STOP_MILLISECONDS = 30_000;

/** Serves a model with all its workers, sends the requests, compares the answers, and ends the server. */
export async function stressModel(model: StressModel, options: StressOptions): Promise<StressResult> {
  const { workers, service, args = [] } = options;
  const started = performance.now();
  const patient = ['--time-limit', '20', '--queue-timeout', '60', '--workers', String(workers), ...args];
  const server = await startServer(model.model, { python: model.python, args: patient, env: service.env });
  try {
    const ready = server.events.find((e) => e.event === 'ready');
    if (!ready) return makeFailedResult(model, server);
    const mode = typeof ready['worker_mode'] === 'string' ? ready['worker_mode'] : 'shared';
    await waitForWorkers(server, mode === 'one' ? 1 : workers);
    const startSeconds = (performance.now() - started) / 1000;
    const report = await queryModel(model, server, options);
    const memoryMib = sumPssMib(listProcessTree(server.process.pid ?? 0));
    return { name: model.kind.name, mode, found: parseFound(ready['found']), startSeconds, memoryMib, ...report };
  } finally {
    await stop(server);
  }
}

/** Ends a server like a supervisor. Its model's processes must end too: `ended` waits for every one of them. */
async function stop(server: RunningServer): Promise<void> {
  const { process: child } = server;
  const tree = listProcessTree(child.pid ?? 0);
  const kill = setTimeout(() => child.kill('SIGKILL'), STOP_MILLISECONDS);
  if (child.exitCode === null && child.signalCode === null) {
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
  clearTimeout(kill);
  killProcesses(tree);
  await server.ended;
}

async function queryModel(model: StressModel, server: RunningServer, { clients }: StressOptions): Promise<Report> {
  const answers = model.kind.isDistinct ? 'distinct' : model.answers;
  const clientArgs = [new URL(server.url).port, model.requests, clients, LIMIT_SECONDS, answers].map(String);
  const { code, stdout, stderr } = await runProcess(model.python, [join(import.meta.dirname, 'ask.py'), ...clientArgs]);
  if (code !== 0) throw new Error(`Cannot query ${model.kind.name}\n${stderr}`);
  return JSON.parse(stdout) as Report;
}

type Report = Pick<StressResult, 'asked' | 'wrong' | 'failed' | 'first' | 'seconds'>;

/** Waits for all workers. A server is ready with its first one, but only several workers can give wrong answers. */
async function waitForWorkers(server: RunningServer, workers: number): Promise<void> {
  const end = performance.now() + WORKERS_LIMIT_MILLISECONDS;
  while ((await status(server)).workers < workers) {
    if (performance.now() > end) throw new Error(`Cannot wait longer for ${workers} workers\n${lastLines(server)}`);
    await new Promise((done) => setTimeout(done, 20));
  }
}

function makeFailedResult(model: StressModel, server: RunningServer): StressResult {
  const nothing = { mode: undefined, found: [], startSeconds: 0, seconds: 0, memoryMib: 0, wrong: 0 };
  const first = [`the server did not start: ${lastLines(server)}`];
  return { name: model.kind.name, ...nothing, asked: model.requests, failed: model.requests, first };
}

function lastLines(server: RunningServer): string {
  return [...server.prints.slice(-2), ...server.events.slice(-1).map((e) => JSON.stringify(e))].join('\n');
}

function parseFound(found: unknown): readonly string[] {
  return Array.isArray(found) ? found.filter((f) => typeof f === 'string') : [];
}
