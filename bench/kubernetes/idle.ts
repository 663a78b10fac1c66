import { setTimeout as sleep } from 'node:timers/promises';
import type { Benchmark, Figure } from '../benchmark.ts';
import { withCluster } from './cluster-project.ts';
import { findPods, readPodUsage } from './pod-usage.ts';

const DEFAULT_SECONDS = 60;
const KNATIVE = ['knative-serving', 'kourier-system'];

export const idle: Benchmark = {
  summary: 'CPU and memory of the platform without requests',
  note: 'Proportional set size and CPU of the pods’ processes, if a node is this machine. The peer has no platform.',
  run: (bench) =>
    withCluster(bench, {}, async ({ api, environment }) => {
      const pods = await findPods(api, [environment.platformNamespace, ...KNATIVE]);
      const seconds = bench.seconds ?? DEFAULT_SECONDS;
      bench.progress.say(`Watching for ${seconds} s …`);
      const read = () => [...pods].map(([namespace, list]) => [namespace, readPodUsage(list)] as const);
      const before = new Map(read());
      await sleep(seconds * 1000, undefined, { signal: bench.signal });
      return read().flatMap(([namespace, { pods: count, mebibytes, cpuSeconds }]): readonly Figure[] => {
        const used = cpuSeconds - (before.get(namespace)?.cpuSeconds ?? NaN);
        const one = (unit: string, value: number) => ({ what: namespace, unit, side: 'davit', values: [value] });
        return [one('pods', count), one('MiB', mebibytes), one('CPU ms a second', (used * 1000) / seconds)];
      });
    }),
};
