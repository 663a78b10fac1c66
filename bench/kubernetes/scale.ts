import { setTimeout as sleep } from 'node:timers/promises';
import { keepAsking } from '../../cli/keep-asking.ts';
import { renderFailures } from '../../cli/render-asked.ts';
import { makeAsker } from '../../test/prober/make-asker.ts';
import { type Bench, type Benchmark, type Figure, repeat } from '../benchmark.ts';
import { type ClusterProject, withCluster } from './cluster-project.ts';
import { startPlainService, waitForReady } from './plain-service.ts';
import { countPods } from './replicas.ts';

const TIMES = 3;
const ENDPOINT = 'bench-scale';
const ENVIRONMENT = { autoscaling: { idle_seconds: 70, scale_down_seconds: 10 } };
const REPLICAS = 4;
const UNITS = 4;
/** As many requests as all replicas can take at a time, each of them long enough to be seen. */
const CLIENTS = REPLICAS * UNITS;
const SLEEP = { dataframe_split: { columns: ['do', 'number'], data: [['sleep', 0.5]] } };
const DOWN_SECONDS = 400;

export const scale: Benchmark = {
  summary: `a step of load from nothing to ${CLIENTS} requests at a time: 1 → ${REPLICAS} replicas`,
  note: [
    'Plain is the peer: its Deployment is told the number at the moment the load begins; nothing of it sees a load.',
    'Wanted: the first extra one ready in at most 5 s, all of them in at most 8 s.',
  ].join('\n'),
  run: (bench) =>
    withCluster(bench, ENVIRONMENT, async (cluster) => {
      bench.progress.say('Deploying …');
      await cluster.declare(ENDPOINT, { sleeper: true, min: UNITS, max: CLIENTS });
      await cluster.davit('up', ENDPOINT);
      const steps = await repeat(bench, { what: 'load step', times: TIMES }, () => stepOnce(cluster, bench));
      const question = await cluster.question(ENDPOINT);
      const plain = await startPlainService(cluster, { endpoint: ENDPOINT, question, replicas: 1 });
      try {
        const told = await repeat(bench, { what: 'plain, 1 → 4', times: TIMES }, async () => {
          await plain.scale(1);
          while ((await plain.ready()) !== 1) await sleep(POLL_MILLISECONDS, undefined, { signal: bench.signal });
          await plain.scale(REPLICAS);
          return readyTimes(async () => ({ ready: await plain.ready(), all: REPLICAS }), bench);
        });
        return [...figures('davit', steps), ...figures('plain, told at once', told)];
      } finally {
        await plain.remove();
      }
    }),
};

interface Times {
  /** Until there is more than one pod, of whatever state. */
  readonly wanted: number;
  readonly first: number;
  readonly all: number;
}

const POLL_MILLISECONDS = 250;

function figures(side: string, times: readonly Times[]): readonly Figure[] {
  const one = (what: string, pick: (t: Times) => number) => ({ what, unit: 'wall s', side, values: times.map(pick) });
  return [
    one('first extra replica ready', (t) => t.first),
    one('  of that, until more than one is wanted', (t) => t.wanted),
    one(`all ${REPLICAS} ready`, (t) => t.all),
  ];
}

async function stepOnce(cluster: ClusterProject, bench: Bench): Promise<Times> {
  const end = performance.now() + DOWN_SECONDS * 1000;
  while ((await countPods(cluster, ENDPOINT)).all !== 1) {
    if (performance.now() > end) throw new Error(`Cannot measure: "${ENDPOINT}" does not come down to one replica`);
    await sleep(POLL_MILLISECONDS, undefined, { signal: bench.signal });
  }
  const asker = makeAsker({ ...(await cluster.question(ENDPOINT)), body: JSON.stringify(SLEEP) });
  const clients = keepAsking(asker.ask, CLIENTS);
  try {
    return await readyTimes(() => countPods(cluster, ENDPOINT), bench);
  } finally {
    clients.stop();
    const asked = await clients.done;
    asker.close();
    if (asked.failed > 0) bench.fault(renderFailures(asked));
  }
}

type Pods = Awaited<ReturnType<typeof countPods>>;

async function readyTimes(count: () => Promise<Pods>, bench: Bench): Promise<Times> {
  const wait = (what: keyof Pods, least: number) => waitForReady(async () => (await count())[what], least, bench);
  const wanted = await wait('all', 2);
  const first = wanted + (await wait('ready', 2));
  return { wanted, first, all: first + (await wait('ready', REPLICAS)) };
}
