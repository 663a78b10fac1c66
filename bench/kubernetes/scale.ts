import { sendLoad } from '../../app/send-load/send-load.ts';
import { renderFailures } from '../../app/send-load/render-load-report.ts';
import { makeProbeClient } from '../../test/prober/probe-client.ts';
import { type BenchContext, type Benchmark, type Figure, repeatWork } from '../benchmark.ts';
import { type ClusterProject, withCluster } from './cluster-project.ts';
import { startPlainService } from './plain-service.ts';
import { type PodCount, type PodSelector, makePodSelector, watchPods } from './replicas.ts';

const TIMES = 3;
const ENDPOINT = 'bench-scale';
const ENVIRONMENT = { autoscaling: { idle_seconds: 70, scale_down_seconds: 10 } };
const REPLICAS = 4;
const UNITS = 4;
/** As many clients as all replicas have units. Each request is long enough for the autoscaler to notice it. */
const CLIENTS = REPLICAS * UNITS;
const SLEEP = { dataframe_split: { columns: ['do', 'number'], data: [['sleep', 0.5]] } };
/** Time to scale down to one replica, and up again. */
const STEP_SECONDS = 400;

export const scale: Benchmark = {
  summary: `scaling from 1 to ${REPLICAS} replicas when the load rises from none to ${CLIENTS} concurrent requests`,
  note: [
    'Plain is the peer: its Deployment is scaled when the load begins, because it does not react to load by itself.',
    'Target: the first new replica is ready in at most 5 s, all replicas in at most 8 s.',
  ].join('\n'),
  run: (bench) =>
    withCluster(bench, ENVIRONMENT, async (cluster) => {
      bench.progress.say('Deploying …');
      await cluster.declare(ENDPOINT, { sleeper: true, min: UNITS, max: CLIENTS });
      await cluster.davit('up', ENDPOINT);
      const steps = await repeatWork(bench, { what: 'load step', times: TIMES }, () => measureLoadStep(cluster, bench));
      const probe = await cluster.makeProbe(ENDPOINT);
      const plain = await startPlainService(cluster, { endpoint: ENDPOINT, probe, replicas: 1 });
      try {
        const atOnce = await repeatWork(bench, { what: 'plain, 1 → 4', times: TIMES }, async () => {
          await plain.scale(1);
          return measureScaling(cluster, plain.pods, bench, () => plain.scale(REPLICAS));
        });
        return [...makeFigures('davit', steps), ...makeFigures('plain, scaled at once', atOnce)];
      } finally {
        await plain.remove();
      }
    }),
};

interface ScaleTimes {
  /** The time until more than one pod exists, in any state. */
  readonly wanted: number;
  readonly first: number;
  readonly all: number;
}

function makeFigures(side: string, times: readonly ScaleTimes[]): readonly Figure[] {
  const one = (what: string, pick: (t: ScaleTimes) => number) => ({
    what,
    unit: 'wall s',
    side,
    values: times.map(pick),
  });
  return [
    one('first extra replica ready', (t) => t.first),
    one('  of that, until more than one is wanted', (t) => t.wanted),
    one(`all ${REPLICAS} ready`, (t) => t.all),
  ];
}

async function measureLoadStep(cluster: ClusterProject, bench: BenchContext): Promise<ScaleTimes> {
  const client = makeProbeClient({ ...(await cluster.makeProbe(ENDPOINT)), body: JSON.stringify(SLEEP) });
  let clients: ReturnType<typeof sendLoad> | undefined;
  try {
    return await measureScaling(cluster, makePodSelector(cluster, ENDPOINT), bench, () => {
      clients = sendLoad(client.send, CLIENTS);
    });
  } finally {
    clients?.stop();
    const report = await clients?.done;
    client.close();
    if (report && report.failed > 0) bench.fault(renderFailures(report));
  }
}

/** Waits until one replica is left, starts the load, and measures the scaling. */
async function measureScaling(
  cluster: ClusterProject,
  pods: PodSelector,
  bench: BenchContext,
  begin: () => Promise<void> | void,
): Promise<ScaleTimes> {
  const end = new AbortController();
  const signal = AbortSignal.any([bench.signal, AbortSignal.timeout(STEP_SECONDS * 1000), end.signal]);
  let started: number | undefined;
  let begun = Promise.resolve();
  let [wanted, first, last] = [0, 0, 0];
  const look = ({ ready, all }: PodCount) => {
    if (started === undefined) {
      if (all !== 1 || ready !== 1) return;
      started = performance.now();
      begun = Promise.resolve(begin());
      begun.catch(() => end.abort());
      return;
    }
    const seconds = (performance.now() - started) / 1000;
    if (all > 1) wanted ||= seconds;
    if (ready > 1) first ||= seconds;
    if (ready === REPLICAS) last ||= seconds;
    if (last > 0) end.abort();
  };
  await watchPods(cluster, pods, look, signal);
  await begun;
  bench.signal.throwIfAborted();
  if (last === 0)
    throw new Error(
      `Cannot measure: "${pods.labelSelector}" has not gone from 1 to ${REPLICAS} pods in ${STEP_SECONDS} s`,
    );
  return { wanted, first, all: last };
}
