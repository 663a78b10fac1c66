// Compares the model server with MLflow, request by request, on models that are hard to serve from several processes.
import { parseArgs } from 'node:util';
import { MODEL_KINDS } from './model-kinds.ts';
import { makeModels } from './make-models.ts';
import { measureMlflowMemory } from './mlflow-memory.ts';
import { startService } from './start-service.ts';
import { stressModel, type StressResult } from './stress-model.ts';

const HELP = `Compares every answer of the model server with that of mlflow.pyfunc, 8 clients at once.

  node bin/launch.mjs test/stress/run.ts

  --models a,b    Only these models
  --rounds N      Rounds for each model; default 1
  --requests N    Requests of each round; default 2000, fewer for slow models
  --workers N     Workers of the server; default 4
  --mode MODE     --worker-mode of the server: found, shared, separate or one
  --mlflow        Also measure the memory of MLflow's server with each model
  --list          List the models
  --json          Print one JSON document instead of a table
  --help          Print this help
`;

const { values } = parseArgs({
  options: {
    models: { type: 'string' },
    rounds: { type: 'string', default: '1' },
    requests: { type: 'string', default: '2000' },
    workers: { type: 'string', default: '4' },
    mode: { type: 'string' },
    mlflow: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const wanted = values.models?.split(',');
const unknown = wanted?.find((name) => !MODEL_KINDS.some((k) => k.name === name));
if (values.help) process.stdout.write(HELP);
else if (values.list)
  process.stdout.write(MODEL_KINDS.map((k) => `${k.name.padEnd(22)}${k.folder.padEnd(13)}${k.environment}\n`).join(''));
else if (unknown !== undefined) {
  process.stderr.write(`Cannot stress "${unknown}": expected names that --list prints\n`);
  process.exitCode = 2;
} else process.exitCode = await run(MODEL_KINDS.filter((k) => wanted?.includes(k.name) ?? true));

async function run(kinds: typeof MODEL_KINDS): Promise<number> {
  const service = await startService();
  const results: Row[] = [];
  const args = values.mode === undefined ? [] : ['--worker-mode', values.mode];
  const options = { workers: Number(values.workers), clients: 8, service, args };
  try {
    const models = await makeModels(kinds, { requests: Number(values.requests), service, report });
    for (let round = 0; round < Number(values.rounds); round++)
      for (const model of models) {
        const mlflowMib = values.mlflow ? await measureMlflowMemory(model, options) : undefined;
        const result = { ...(await stressModel(model, options)), mlflowMib };
        results.push(result);
        if (!values.json) process.stdout.write(renderResult(result));
      }
  } finally {
    await service.stop();
  }
  const count = results.filter((r) => r.wrong + r.failed > 0).length;
  const summary = { rounds: Number(values.rounds), results };
  process.stdout.write(
    values.json
      ? `${JSON.stringify(summary, null, 2)}\n`
      : `${count} of ${results.length} runs with wrong answers or failed requests\n`,
  );
  return count > 0 ? 1 : 0;
}

/** Shows progress beside the results, which go to standard output. */
function report(sentence: string): void {
  process.stderr.write(`${sentence}\n`);
}

interface Row extends StressResult {
  /** The memory of `mlflow models serve` with the same number of workers. */
  readonly mlflowMib: number | undefined;
}

function renderResult(r: Row): string {
  const cells = [
    r.name.padEnd(20),
    (r.mode ?? 'none').padEnd(9),
    `${r.wrong} wrong, ${r.failed} failed of ${r.asked}`.padEnd(36),
    `start ${r.startSeconds.toFixed(1)} s`.padEnd(13),
    `${r.seconds.toFixed(1)} s`.padEnd(8),
    `${r.memoryMib.toFixed(0)} MiB${r.mlflowMib === undefined ? '' : ` (mlflow ${r.mlflowMib.toFixed(0)})`}`.padEnd(9),
    r.found.join(', '),
  ];
  return [cells.join(' '), ...r.first.map((sentence) => `    ${sentence}`)].join('\n') + '\n';
}
