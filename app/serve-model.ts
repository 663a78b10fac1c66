import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { ensureFrontVirtualenv } from '../python/ensure-front-virtualenv.ts';
import { ensureVirtualenv, type VirtualenvRequest } from '../python/ensure-virtualenv.ts';
import { type Diagnostic, hasErrors } from '../schemas/diagnostic.ts';
import { EVENTS_FD, eachServerEvent, type ReadyEvent } from '../local/revisions/server-events.ts';
import { renderModelLoading, type WorkerMode } from '../schemas/endpoint/worker-mode.ts';
import { codePath } from '../system/code.ts';
import { waitForChild } from '../system/wait-for-child.ts';
import type { Progress } from '../system/progress.ts';
import { makeChildEnvironment } from '../system/run-process.ts';
import { prepareStandaloneModel } from '../validation/validate-model.ts';

/** A model server to run alone, without an endpoint, a gateway or a token. */
export interface ServeRequest {
  /** A path, relative to `cwd`, or a URI. */
  readonly model: string;
  readonly cwd: string;
  /** On 127.0.0.1; 0: any free one. */
  readonly port: number;
  readonly workers: number;
  /** `found`: as the model allows. */
  readonly mode: WorkerMode | 'found';
  /** What NaN in an answer becomes. */
  readonly nan: 'error' | 'null';
  /** How long one prediction may take. */
  readonly timeLimitSeconds: number;
  readonly progress: Progress;
  /** Drains and ends the server. */
  readonly signal: AbortSignal;
}

/** How a model server ran. */
export interface ServedModel {
  readonly code: number;
  /** Undefined if the server never became ready. */
  readonly ready: ReadyEvent | undefined;
}

const RUNTIME = codePath('runtime');

/** Runs a model server until it ends; undefined: the model has errors. Its output goes to standard error. */
export async function serveModel(
  request: ServeRequest,
): Promise<{ readonly served: ServedModel | undefined; readonly diagnostics: readonly Diagnostic[] }> {
  const { model, cwd, port, workers, mode, nan, timeLimitSeconds, progress, signal } = request;
  await expectFree(port);
  const { folder, virtualenv, diagnostics } = await prepareStandaloneModel(model, { cwd, progress, signal });
  if (folder === undefined || !virtualenv || hasErrors(diagnostics)) return { served: undefined, diagnostics };
  const args = [
    ...['--model', folder, '--port', String(port), '--workers', String(workers)],
    ...['--worker-mode', mode, '--nan', nan, '--time-limit', String(timeLimitSeconds)],
  ];
  return { served: await runServer(virtualenv, args, request), diagnostics };
}

/** Fails early if the port is taken. If another program takes it later, the server reports that. */
async function expectFree(port: number): Promise<void> {
  const server = createServer();
  await new Promise<void>((done, fail) => {
    server.once('error', (e: NodeJS.ErrnoException) => {
      const why = e.code === 'EADDRINUSE' ? 'another program listens there' : e.message;
      const message = `Cannot serve on port ${port}: ${why}, expected a free one. Choose another, or --port 0 for any`;
      fail(new Error(message, { cause: e }));
    });
    server.listen({ port, host: '127.0.0.1' }, () => server.close(() => done()));
  });
}

/** Runs the server until it ends. It is drained on Ctrl-C, and when this process ends for any reason. */
async function runServer(
  virtualenv: VirtualenvRequest,
  args: readonly string[],
  { progress, signal }: Pick<ServeRequest, 'progress' | 'signal'>,
): Promise<ServedModel> {
  const options = { progress, signal };
  const [model, front] = await Promise.all([ensureVirtualenv(virtualenv, options), ensureFrontVirtualenv(options)]);
  const ours = ['--python', model.python, '--pycache', model.pycache, '--parent-fd', '3', ...args];
  const env = makeChildEnvironment({ PYTHONPATH: RUNTIME, PYTHONPYCACHEPREFIX: front.pycache });
  const child = spawn(front.python, ['-m', 'davit_server', ...ours, '--events-fd', String(EVENTS_FD)], {
    cwd: RUNTIME, // Python finds no modules in the folder where the user is
    env,
    stdio: ['ignore', 2, 2, 'pipe', 'pipe'],
    detached: true,
  });
  let ready: ReadyEvent | undefined;
  eachServerEvent(child.stdio[EVENTS_FD], (event) => {
    if (event.event !== 'ready') return; // the server logs failures itself
    ready ??= event;
    const how = event.loading ? `, ${renderModelLoading({ ...event.loading, count: event.workers ?? 1 })}` : '';
    progress.say(`Serving at http://127.0.0.1:${event.port ?? 0}/invocations${how}; Ctrl-C ends it`);
  });
  const drain = () => child.kill('SIGTERM');
  signal.addEventListener('abort', drain, { once: true });
  const { code } = await waitForChild(child);
  signal.removeEventListener('abort', drain);
  return { code: code ?? 1, ready };
}
