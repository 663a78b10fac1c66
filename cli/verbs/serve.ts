import { serveModel } from '../../app/serve-model.ts';
import { WORKER_MODES } from '../../schemas/endpoint/worker-mode.ts';
import { type Command, type Context, type Outcome, UsageError } from '../command.ts';
import { oneOf, textOption, wholeNumber } from '../parse-arguments.ts';
import { outcomeOfErrors } from '../request.ts';

export const serve: Command = {
  summary: 'Run the model server alone, in the foreground',
  usage: '',
  help: "No endpoint, no gateway, no token: MLflow's scoring API on 127.0.0.1, from the lock of that model.\n\n  davit serve --model path/to/model --port 8080\n  curl -X POST -H 'x-davit-example: 1' localhost:8080/invocations     the model's own example, or an input made from its signature",
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

async function runServe({ options, progress, signal, cwd }: Context): Promise<Outcome> {
  const model = textOption(options, 'model');
  if (model === undefined) throw new UsageError('Cannot serve without a model: expected --model PATH or URI');
  const port = wholeNumber(options, 'port', { min: 0, max: 65_535 });
  if (port === undefined) throw new UsageError('Cannot serve without a port: expected --port N');
  const workers = wholeNumber(options, 'workers', { min: 1, max: 256 }) ?? 1;
  const { served, diagnostics } = await serveModel({
    ...{ model, cwd, port, workers, progress, signal },
    mode: oneOf(options, 'worker-mode', ['found', ...WORKER_MODES]) ?? 'found',
    nan: oneOf(options, 'nan', ['error', 'null']) ?? 'error',
    timeLimitSeconds: wholeNumber(options, 'time-limit', { min: 1, max: 3600 }) ?? 120,
  });
  if (!served) return outcomeOfErrors(diagnostics);
  const { ready, code } = served;
  const loading = { worker_mode: ready?.loading?.mode ?? null, found: ready?.loading?.found ?? [] };
  const result = { model, port: ready?.port ?? null, workers: ready?.workers ?? workers, ...loading, exit_code: code };
  return { diagnostics, result, text: '', failed: code !== 0 };
}
