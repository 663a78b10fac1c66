import { percentile } from '../app/send-load/render-load-report.ts';
import { makeBenchProject } from './bench-project.ts';
import { type BenchContext, type Benchmark, type Figure, repeatWork } from './benchmark.ts';
import { makeGatewayRequest } from './gateway-request.ts';
import { type ProcessEntry, listProcessesUsing, listProcessTree, sumCpuSeconds } from './processes.ts';
import type { ProbeRequest } from '../test/prober/probe-client.ts';
import { type LoadMeasurement, makeLoadFigures, measureLoad } from './measure-load.ts';
import { pluralize } from '../schemas/values/pluralize.ts';

const TIMES = 3;
const CONNECTIONS = [1, 4, 16];

export const gateway: Benchmark = {
  summary: 'the same requests straight to the model server and through the gateway',
  note: [
    'Straight requests use the model server’s own Unix socket, like the gateway. CPU is that of the gateway and the',
    'model server together. The overhead is the difference between the two in the same round.',
  ].join('\n'),
  run: async (bench) => {
    const project = await makeBenchProject(bench);
    try {
      bench.progress.say('Deploying …');
      await project.davit('up', 'iris');
      const { probe, gatewayPid } = await makeGatewayRequest(project);
      const straight = { ...probe, url: 'http://localhost/invocations', socketPath: findSocket(project.root) };
      const figures: Figure[] = [];
      for (const connections of CONNECTIONS)
        figures.push(...(await compareWithGateway({ through: probe, straight, gatewayPid }, connections, bench)));
      return figures;
    } finally {
      await project.remove();
    }
  },
};

interface GatewayComparison {
  readonly through: ProbeRequest;
  readonly straight: ProbeRequest;
  readonly gatewayPid: number;
}

async function compareWithGateway(
  { through, straight, gatewayPid }: GatewayComparison,
  connections: number,
  bench: BenchContext,
) {
  const what = pluralize(connections, 'connection');
  // The model servers are children of the gateway.
  const options = { connections, readCpu: () => sumCpuSeconds(listProcessTree(gatewayPid)) };
  const rounds = await repeatWork(bench, { what, times: TIMES }, async () => ({
    straight: await measureLoad(straight, bench, options),
    through: await measureLoad(through, bench, options),
  }));
  const overhead = (unit: string, pick: (load: LoadMeasurement) => number): Figure => ({
    what,
    unit,
    side: 'overhead',
    values: rounds.map((r) => pick(r.through) - pick(r.straight)),
  });
  const loads = (side: 'straight' | 'through') =>
    makeLoadFigures(
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
  const sockets = listProcessesUsing(root).flatMap((p: ProcessEntry) => / --uds (\S+)/.exec(p.command)?.[1] ?? []);
  if (sockets[0] === undefined) throw new Error('Cannot find the socket of the model server: none runs');
  return sockets[0];
}
