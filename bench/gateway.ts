import { percentile } from '../app/load/render-load-report.ts';
import { makeBenchProject } from './bench-project.ts';
import { type Bench, type Benchmark, type Figure, repeat } from './benchmark.ts';
import { makeGatewayQuestion } from './gateway-request.ts';
import { type ProcessEntry, processesOf, processTree, sumCpuSeconds } from './processes.ts';
import type { Question } from '../test/prober/probe-client.ts';
import { type Load, loadFigures, putUnderLoad } from './measure-load.ts';

const TIMES = 3;
const CONNECTIONS = [1, 4, 16];

export const gateway: Benchmark = {
  summary: 'the same requests straight to the model server and through the gateway',
  note: [
    'Straight is over the model server’s own Unix socket, the one that the gateway uses; CPU is that of the gateway and of',
    'the model server together. The overhead is the difference of the two in the same round.',
  ].join('\n'),
  run: async (bench) => {
    const project = await makeBenchProject(bench);
    try {
      bench.progress.say('Deploying …');
      await project.davit('up', 'iris');
      const { question, gatewayPid } = await makeGatewayQuestion(project);
      const straight = { ...question, url: 'http://localhost/invocations', socketPath: findSocket(project.root) };
      const figures: Figure[] = [];
      for (const connections of CONNECTIONS)
        figures.push(...(await compare({ through: question, straight, gatewayPid }, connections, bench)));
      return figures;
    } finally {
      await project.remove();
    }
  },
};

interface Ways {
  readonly through: Question;
  readonly straight: Question;
  readonly gatewayPid: number;
}

async function compare({ through, straight, gatewayPid }: Ways, connections: number, bench: Bench) {
  const what = connections === 1 ? '1 connection' : `${connections} connections`;
  // The model servers are children of the gateway.
  const options = { connections, readCpu: () => sumCpuSeconds(processTree(gatewayPid)) };
  const rounds = await repeat(bench, { what, times: TIMES }, async () => ({
    straight: await putUnderLoad(straight, bench, options),
    through: await putUnderLoad(through, bench, options),
  }));
  const overhead = (unit: string, pick: (load: Load) => number): Figure => ({
    what,
    unit,
    side: 'overhead',
    values: rounds.map((r) => pick(r.through) - pick(r.straight)),
  });
  const loads = (side: 'straight' | 'through') =>
    loadFigures(
      what,
      side === 'through' ? 'through the gateway' : side,
      rounds.map((r) => r[side]),
    );
  return [
    ...loads('straight'),
    ...loads('through'),
    overhead('CPU ms a request', (l) => (l.cpuSeconds * 1000) / l.sent),
    overhead('p50 ms', (l) => percentile(l, 0.5)),
    overhead('p99 ms', (l) => percentile(l, 0.99)),
  ];
}

function findSocket(root: string): string {
  const sockets = processesOf(root).flatMap((p: ProcessEntry) => / --uds (\S+)/.exec(p.command)?.[1] ?? []);
  if (sockets[0] === undefined) throw new Error('Cannot find the socket of the model server: none runs');
  return sockets[0];
}
