import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { ensureFrontVirtualenv } from '../python/ensure-front-virtualenv.ts';
import { ensureVirtualenv, type VirtualenvRequest } from '../python/ensure-virtualenv.ts';
import { hasErrors } from '../schemas/diagnostic.ts';
import { EVENTS_FD, eachServerEvent, type ReadyEvent } from '../local/revisions/server-events.ts';
import { renderModelLoading, WORKER_MODES } from '../schemas/endpoint/worker-mode.ts';
import { codePath } from '../system/code.ts';
import { waitForChild } from '../system/child-end.ts';
import { childEnvironment } from '../system/run-process.ts';
import { openModel } from '../validation/validate-model.ts';
import { type Command, type Context, type Outcome, UsageError } from './command.ts';
import { oneOf, textOption, wholeNumber } from './parse-arguments.ts';

export const serve: Command = {
  summary: 'Run the model server alone, in the foreground',
  usage: '',
  help: "No endpoint, no gateway, no token: MLflow's scoring API on 127.0.0.1, from the lock of that model.\n\n  davit serve --model path/to/model --port 8080\n  curl -X POST -H 'x-davit-example: 1' localhost:8080/invocations     the model's own example",
  options: {
    model: { type: 'string', value: 'PATH|URI', help: 'The MLflow model' },
    port: { type: 'string', value: 'N', help: 'Port on 127.0.0.1; 0 takes a free one and says which' },
    workers: { type: 'string', value: 'N', help: 'Requests at a time; default 1' },
    'worker-mode': {
      type: 'string',
      value: 'MODE',
      help: 'shared: workers are forks of one process; separate: each loads the model; one: a single worker; default found: as the model allows',
    },
    nan: { type: 'string', value: 'error|null', help: 'What NaN in an answer becomes; default error' },
    'time-limit': { type: 'string', value: 'SECONDS', help: 'How long one prediction may take; default 120' },
  },
  args: { min: 0, max: 0 },
  run: runServe,
};

const RUNTIME = codePath('runtime');

async function runServe(context: Context): Promise<Outcome> {
  const { options, progress, signal, cwd } = context;
  const model = textOption(options, 'model');
  if (model === undefined) throw new UsageError('Cannot serve without a model: expected --model PATH or URI');
  const port = wholeNumber(options, 'port', { min: 0, max: 65_535 });
  if (port === undefined) throw new UsageError('Cannot serve without a port: expected --port N');
  const workers = wholeNumber(options, 'workers', { min: 1, max: 256 }) ?? 1;
  const mode = oneOf(options, 'worker-mode', ['found', ...WORKER_MODES]) ?? 'found';
  const nan = oneOf(options, 'nan', ['error', 'null']) ?? 'error';
  const timeLimit = wholeNumber(options, 'time-limit', { min: 1, max: 3600 }) ?? 120;
  await expectFree(port);
  const { folder, virtualenv, diagnostics } = await openModel(model, { cwd, progress, signal });
  if (folder === undefined || !virtualenv || hasErrors(diagnostics)) return { diagnostics, result: null, text: '' };
  const args = [
    ...['--model', folder, '--port', String(port), '--workers', String(workers)],
    ...['--worker-mode', mode, '--nan', nan, '--time-limit', String(timeLimit)],
  ];
  const { ready, code } = await runServer(virtualenv, args, context);
  const loading = { worker_mode: ready?.loading?.mode ?? null, found: ready?.loading?.found ?? [] };
  const result = { model, port: ready?.port ?? null, workers: ready?.workers ?? workers, ...loading, exit_code: code };
  return { diagnostics, result, text: '', failed: code !== 0 };
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

interface Served {
  readonly code: number;
  /** Undefined if the server never became ready. */
  readonly ready: ReadyEvent | undefined;
}

/** Runs the server until it ends. It is drained on Ctrl-C, and when this process ends for any reason. */
async function runServer(
  virtualenv: VirtualenvRequest,
  args: readonly string[],
  { progress, signal }: Context,
): Promise<Served> {
  const options = { progress, signal };
  const [model, front] = await Promise.all([ensureVirtualenv(virtualenv, options), ensureFrontVirtualenv(options)]);
  const ours = ['--python', model.python, '--pycache', model.pycache, '--parent-fd', '3', ...args];
  const env = childEnvironment({ PYTHONPATH: RUNTIME, PYTHONPYCACHEPREFIX: front.pycache });
  const child = spawn(front.python, ['-m', 'davit_server', ...ours, '--events-fd', String(EVENTS_FD)], {
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
