import { CODE_FOLDER, codePath } from '../system/code.ts';
import { makeChildEnvironment } from '../system/run-process.ts';
import { type BenchContext, type Benchmark, type Figure, repeatWork } from './benchmark.ts';
import { ensureMlflow } from './ensure-mlflow.ts';
import { readExample } from './gateway-request.ts';
import { sumCpuSeconds, sumPssMib } from './processes.ts';
import { type LoadMeasurement, makeLoadFigures, measureLoad } from './measure-load.ts';
import { type ServerCommand, type ServerProcess, startServer } from './server-process.ts';
import { pluralize } from '../schemas/values/pluralize.ts';

const MODEL = codePath('models', 'iris', '2');
const TIMES = 3;
const STARTS = 2;
const WORKERS = 4;
const CONNECTIONS = [1, 4, 16];
const DAVIT_SIDE = `davit, ${WORKERS} workers`;
/** Matches processes that only start the server and wait for it. */
const LAUNCHERS = /launch\.mjs|davit\.mjs|cli\/main\.ts|mlflow models serve/;

export const serve: Benchmark = {
  summary: '`davit serve` and `mlflow models serve` on the same model, with the same client',
  note: [
    'Requests are the model’s own example. Memory is the proportional set size of the process tree after the load,',
    'without the command that only starts the server. The 40 ms of mlflow with several workers are waiting time:',
    'uvicorn leaves Nagle’s algorithm on and writes an answer in two pieces, for which any client on Linux waits.',
  ].join('\n'),
  run: async (bench) => {
    const commands = await makeCommands(bench);
    const servers: ServerProcess[] = [];
    try {
      const ready: Figure[] = [];
      const deciding: number[] = [];
      for (const [side, command] of commands) {
        const started = await repeatWork(bench, { what: `${side}, starting`, times: STARTS }, async (round) => {
          const server = await startServer(command, bench);
          if (side === DAVIT_SIDE) deciding.push(readDecisionSeconds(server));
          if (round < STARTS - 1) await server.stop();
          else servers.push(server);
          return server.readySeconds;
        });
        ready.push({ what: 'ready after', unit: 's', side, values: started });
      }
      const sides = commands.flatMap(([side], i) => (servers[i] ? [{ side, server: servers[i] }] : []));
      const loads = await compareServers(sides, bench);
      const decided = { what: 'of that, deciding about forks', unit: 's', side: DAVIT_SIDE, values: deciding };
      return [...ready, decided, ...sides.flatMap(makeMemoryFigures), ...loads];
    } finally {
      await Promise.all(servers.map((s) => s.stop()));
    }
  },
};

interface Side {
  readonly side: string;
  readonly server: ServerProcess;
}

async function makeCommands(bench: BenchContext): Promise<readonly (readonly [string, ServerCommand])[]> {
  const mlflow = await ensureMlflow(bench);
  const davit = codePath('bin', 'davit.mjs');
  const makeOptions = (port: number, workers: number) => ['--port', String(port), '--workers', String(workers)];
  const ours = (mode: string): ServerCommand => ({
    program: 'node',
    args: (port) => [davit, 'serve', '--model', MODEL, '--worker-mode', mode, ...makeOptions(port, WORKERS)],
    env: makeChildEnvironment(),
  });
  const theirs = (workers: number): ServerCommand => ({
    program: mlflow.program,
    args: (port) => ['models', 'serve', '-m', MODEL, '--env-manager', 'local', ...makeOptions(port, workers)],
    env: mlflow.env,
  });
  return [
    [DAVIT_SIDE, ours('found')],
    [`davit, ${WORKERS} separate workers`, ours('separate')],
    [`mlflow, ${WORKERS} workers`, theirs(WORKERS)],
    ['mlflow, 1 worker', theirs(1)],
  ];
}

/** Reads from the server's log how long it took to decide whether its workers may be forks. */
function readDecisionSeconds(server: ServerProcess): number {
  const ready = server.log().findLast((line) => line.startsWith('{"event": "ready"')) ?? '{}';
  return (JSON.parse(ready) as { readonly seconds?: { readonly workers?: number } }).seconds?.workers ?? NaN;
}

/** Measures the servers in alternating rounds, so that all of them run under the same conditions. */
async function compareServers(sides: readonly Side[], bench: BenchContext): Promise<readonly Figure[]> {
  const body = await readExample(CODE_FOLDER);
  const figures: Figure[] = [];
  for (const connections of CONNECTIONS) {
    const what = pluralize(connections, 'connection');
    const loads = new Map<string, LoadMeasurement[]>(sides.map(({ side }) => [side, []]));
    await repeatWork(bench, { what, times: TIMES }, async () => {
      for (const { side, server } of sides) {
        const probe = { url: `${server.url}/invocations`, body };
        const readCpu = () => sumCpuSeconds(server.tree());
        loads.get(side)?.push(await measureLoad(probe, bench, { connections, readCpu }));
      }
    });
    for (const [side, of] of loads) figures.push(...makeLoadFigures(what, side, of));
  }
  return figures;
}

function makeMemoryFigures({ side, server }: Side): readonly Figure[] {
  const tree = server.tree();
  const servers = tree.filter((p) => !LAUNCHERS.test(p.command));
  return [
    { what: 'memory, whole tree', unit: 'MiB', side, values: [sumPssMib(tree)] },
    { what: 'memory, the server alone', unit: 'MiB', side, values: [sumPssMib(servers)] },
  ];
}
