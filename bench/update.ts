import { percentile } from '../app/send-load/render-load-report.ts';
import { FIRST_VERSION, makeBenchProject } from './bench-project.ts';
import { type Benchmark, type Figure, makeTimeFigures } from './benchmark.ts';
import { makeGatewayRequest } from './gateway-request.ts';
import { listProcessesUsing, sumCpuSeconds } from './processes.ts';
import { makeLoadFigures, measureLoad } from './measure-load.ts';
import type { TimedRun } from './run-timed.ts';

const CLIENTS = 8;
const DEFAULT_SECONDS = 60;
const SIDE = 'davit';

export const update: Benchmark = {
  summary: `updates back and forth between two versions while ${CLIENTS} clients query the gateway`,
  note: [
    'Target: no request fails. CPU per request is that of the gateway and all model servers, including their loading.',
    'There is no peer, because MLflow’s server cannot be updated: a new version is a new process on a new port.',
  ].join('\n'),
  run: async (bench) => {
    const project = await makeBenchProject(bench);
    try {
      bench.progress.say('Both versions once, not counted …');
      await project.davit('up', 'iris');
      await project.davit('up', 'iris', ...FIRST_VERSION);
      const { probe } = await makeGatewayRequest(project);
      const updates: TimedRun[] = [];
      const end = performance.now() + (bench.seconds ?? DEFAULT_SECONDS) * 1000;
      const load = await measureLoad(probe, bench, {
        connections: CLIENTS,
        readCpu: () => sumCpuSeconds(listProcessesUsing(project.root)),
        meanwhile: async () => {
          while (performance.now() < end) {
            bench.progress.say(`Update ${updates.length + 1} under load …`);
            updates.push(await project.davit('up', 'iris', ...(updates.length % 2 === 0 ? [] : FIRST_VERSION)));
          }
        },
      });
      const one = (what: string, unit: string, value: number): Figure => ({ what, unit, side: SIDE, values: [value] });
      return [
        one('under load', 's', load.seconds),
        one('updates', '', updates.length),
        one('different answers', '', load.answers.size),
        one('requests sent', '', load.sent),
        one('requests failed', '', load.failed),
        ...makeLoadFigures(`${CLIENTS} clients`, SIDE, [load]),
        one(`${CLIENTS} clients`, 'longest ms', percentile(load, 1)),
        ...makeTimeFigures('davit up, under this load', SIDE, updates).slice(0, 1),
      ];
    } finally {
      await project.remove();
    }
  },
};
