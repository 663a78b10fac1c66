import { percentile } from '../../app/send-load/render-load-report.ts';
import type { ProbeRequest } from '../../test/prober/probe-client.ts';
import { type BenchContext, type Benchmark, type Figure, repeatWork } from '../benchmark.ts';
import { type LoadMeasurement, makeLoadFigures, measureLoad } from '../measure-load.ts';
import { type ClusterProject, withCluster } from './cluster-project.ts';
import { startPlainService } from './plain-service.ts';
import { findPods, readPodUsage } from './pod-usage.ts';
import { pluralize } from '../../schemas/values/pluralize.ts';

const TIMES = 3;
const CONNECTIONS = [1, 4];
const PLATFORM_NAMESPACES = ['knative-serving', 'kourier-system'];
const ENDPOINTS = { davit: 'bench', 'route optimized': 'bench-direct' } as const;

export const overhead: Benchmark = {
  summary: 'the same requests to a plain Deployment and Service with the same image, and through the edge and Knative',
  note: [
    'Plain is the peer: the same image with the same arguments behind a Service. Route optimized bypasses the',
    'activator while a replica is ready. CPU is that of all pods on the path. Target: at most +4 ms p50, +12 ms p99.',
  ].join('\n'),
  run: (bench) =>
    withCluster(bench, {}, async (cluster) => {
      bench.progress.say('Deploying …');
      await cluster.declare(ENDPOINTS.davit);
      await cluster.declare(ENDPOINTS['route optimized'], { routeOptimized: true });
      await cluster.davit('up', ...Object.values(ENDPOINTS));
      const probe = await cluster.makeProbe(ENDPOINTS.davit);
      const plain = await startPlainService(cluster, { endpoint: ENDPOINTS.davit, probe, replicas: 1 });
      try {
        while ((await plain.ready()) < 1) bench.signal.throwIfAborted();
        const ways: Record<string, ProbeRequest> = {
          plain: plain.probe,
          davit: probe,
          'route optimized': await cluster.makeProbe(ENDPOINTS['route optimized']),
        };
        const readCpu = await makeCpuReader(cluster, plain.pods.namespace);
        const figures: Figure[] = [];
        for (const connections of CONNECTIONS)
          figures.push(...(await comparePaths(ways, { connections, readCpu }, bench)));
        return figures;
      } finally {
        await plain.remove();
      }
    }),
};

async function makeCpuReader({ api, environment }: ClusterProject, plain: string): Promise<() => number> {
  const pods = await findPods(api, [
    environment.namespace,
    environment.platformNamespace,
    plain,
    ...PLATFORM_NAMESPACES,
  ]);
  const all = [...pods.values()].flat();
  return () => readPodUsage(all).cpuSeconds;
}

interface ComparisonOptions {
  readonly connections: number;
  readonly readCpu: () => number;
}

async function comparePaths(
  ways: Readonly<Record<string, ProbeRequest>>,
  options: ComparisonOptions,
  bench: BenchContext,
): Promise<readonly Figure[]> {
  const what = pluralize(options.connections, 'connection');
  const rounds = await repeatWork(bench, { what, times: TIMES }, async () => {
    const loads: Record<string, LoadMeasurement> = {};
    for (const [side, probe] of Object.entries(ways)) loads[side] = await measureLoad(probe, bench, options);
    return loads;
  });
  const of = (side: string) => rounds.flatMap((round) => round[side] ?? []);
  const more = (side: string, share: number): Figure => ({
    what,
    unit: `+p${share * 100} ms`,
    side,
    values: of(side).map((load, i) => percentile(load, share) - percentile(of('plain')[i] ?? load, share)),
  });
  return [
    ...Object.keys(ways).flatMap((side) => makeLoadFigures(what, side, of(side))),
    ...Object.keys(ENDPOINTS).flatMap((side) => [more(side, 0.5), more(side, 0.99)]),
  ];
}
