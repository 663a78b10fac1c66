import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import type { Readable } from 'node:stream';
import { ensureFrontVirtualenv } from '../python/ensure-front-virtualenv.ts';
import { ensureVirtualenv, type VirtualenvRequest } from '../python/ensure-virtualenv.ts';
import { hasErrors } from '../schemas/diagnostic.ts';
import { codePath } from '../system/code.ts';
import { eachLine } from '../system/each-line.ts';
import { childEnvironment } from '../system/run-process.ts';
import { openModel } from '../validation/validate-model.ts';
import { type Command, type Context, type Outcome, UsageError } from './command.ts';
import { textOption, wholeNumber } from './parse-arguments.ts';

export const serve: Command = {
  summary: 'Run the model server alone, in the foreground',
  usage: '',
  help: "No endpoint, no gateway, no token: MLflow's scoring API on 127.0.0.1, from the lock of that model.\n\n  davit serve --model path/to/model --port 8080\n  curl -H 'Content-Type: application/json' -d @path/to/model/serving_input_example.json localhost:8080/invocations",
  options: {
    model: { type: 'string', value: 'PATH|URI', help: 'The MLflow model' },
    port: { type: 'string', value: 'N', help: 'Port on 127.0.0.1; 0 takes a free one and says which' },
    workers: { type: 'string', value: 'N', help: 'Requests at a time; default 1' },
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
  const timeLimit = wholeNumber(options, 'time-limit', { min: 1, max: 3600 }) ?? 120;
  await expectFree(port);
  const { folder, virtualenv, diagnostics } = await openModel(model, { cwd, progress, signal });
  if (folder === undefined || !virtualenv || hasErrors(diagnostics)) return { diagnostics, result: null, text: '' };
  const args = [
    '--model',
    folder,
    '--port',
    String(port),
    '--workers',
    String(workers),
    '--time-limit',
    String(timeLimit),
  ];
  const served = await runServer(virtualenv, args, context);
  const result = { model, port: served.port ?? null, workers, exit_code: served.code };
  return { diagnostics, result, text: '', failed: served.code !== 0 };
}

/** Said before the work, not after it; who takes the port in between is noticed by the server. */
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
  /** Undefined when it never was ready. */
  readonly port: number | undefined;
}

/** Runs the server until it ends; Ctrl-C drains it, and so does the end of this process, however it comes. */
async function runServer(
  virtualenv: VirtualenvRequest,
  args: readonly string[],
  { progress, signal }: Context,
): Promise<Served> {
  const options = { progress, signal };
  const [model, front] = await Promise.all([ensureVirtualenv(virtualenv, options), ensureFrontVirtualenv(options)]);
  const ours = ['--python', model.python, '--pycache', model.pycache, '--parent-fd', '3', ...args];
  const env = childEnvironment({ PYTHONPATH: RUNTIME, PYTHONPYCACHEPREFIX: front.pycache });
  const child = spawn(front.python, ['-m', 'davit_server', ...ours], {
    env,
    stdio: ['ignore', 2, 'pipe', 'pipe'],
    detached: true,
  });
  let port: number | undefined;
  eachLine(child.stderr as Readable, (line) => {
    process.stderr.write(`${line}\n`);
    const ready = readyPort(line);
    if (ready !== undefined) progress.say(`Serving at http://127.0.0.1:${ready}/invocations; Ctrl-C ends it`);
    port ??= ready;
  });
  const drain = () => child.kill('SIGTERM');
  signal.addEventListener('abort', drain, { once: true });
  return new Promise((done, fail) => {
    child.on('error', fail);
    child.on('close', (code) => {
      signal.removeEventListener('abort', drain);
      done({ code: code ?? 1, port });
    });
  });
}

/** The port in the server's own log line that says it is ready. */
function readyPort(line: string): number | undefined {
  if (!line.startsWith('{"event": "ready"')) return undefined;
  return (JSON.parse(line) as { readonly port?: number }).port;
}
