import { setTimeout as sleep } from 'node:timers/promises';
import { makeProbeClient, type ProbeRequest } from '../../test/prober/probe-client.ts';
import { type BenchContext, type Benchmark, type Figure, repeatWork } from '../benchmark.ts';
import { type ClusterProject, withCluster } from './cluster-project.ts';
import { type PlainService, startPlainService } from './plain-service.ts';
import { countPods, readLoadSeconds } from './replicas.ts';

const TIMES = 3;
const ENDPOINT = 'bench-wake';
/** The shortest idle time that an environment may have, because Knative's window is at least a minute. */
const ENVIRONMENT = { autoscaling: { idle_seconds: 70, scale_down_seconds: 10 } };
const SCALE_TO_ZERO_SECONDS = 240;
const POLL_MILLISECONDS = 500;
const RETRY_MILLISECONDS = 20;

export const wake: Benchmark = {
  summary: 'the time of one request to an endpoint that is scaled to zero',
  note: [
    'Plain is the peer: its Deployment is scaled to one replica and queried until it answers; it cannot wake itself.',
    'Target: at most 2.5 s plus the load time of the model.',
  ].join('\n'),
  run: (bench) =>
    withCluster(bench, ENVIRONMENT, async (cluster) => {
      bench.progress.say('Deploying …');
      await cluster.declare(ENDPOINT, { min: 0, max: 4, scaleToZero: true });
      await cluster.davit('up', ENDPOINT);
      const probe = await cluster.makeProbe(ENDPOINT);
      const ours = await repeatWork(bench, { what: 'wake', times: TIMES }, () => measureWake(cluster, probe, bench));
      const plain = await startPlainService(cluster, { endpoint: ENDPOINT, probe, replicas: 0 });
      try {
        const theirs = await repeatWork(bench, { what: 'plain, 0 → 1', times: TIMES }, () =>
          measurePlainStart(plain, bench),
        );
        return [
          makeFigure(
            'zero → answer',
            'davit',
            ours.map((w) => w.seconds),
          ),
          makeFigure('zero → answer', 'plain', theirs),
          makeFigure(
            '  of that, the model server until ready',
            'davit',
            ours.map((w) => w.loadSeconds),
          ),
          makeFigure(
            '  of that, all the rest',
            'davit',
            ours.map((w) => w.seconds - w.loadSeconds),
          ),
        ];
      } finally {
        await plain.remove();
      }
    }),
};

function makeFigure(what: string, side: string, values: readonly number[]): Figure {
  return { what, unit: 'wall s', side, values };
}

async function measureWake(cluster: ClusterProject, probe: ProbeRequest, bench: BenchContext) {
  const end = performance.now() + SCALE_TO_ZERO_SECONDS * 1000;
  while ((await countPods(cluster, ENDPOINT)).all > 0) {
    if (performance.now() > end) throw new Error(`Cannot measure: "${ENDPOINT}" does not scale to zero`);
    await sleep(POLL_MILLISECONDS, undefined, { signal: bench.signal });
  }
  const client = makeProbeClient(probe, { connections: 'fresh' });
  const started = performance.now();
  const { status, body } = await client.send();
  const seconds = (performance.now() - started) / 1000;
  if (status !== 200) bench.fault(`the request that wakes got ${status} ${body}, expected 200`);
  return { seconds, loadSeconds: await readLoadSeconds(cluster, ENDPOINT) };
}

async function measurePlainStart(plain: PlainService, { signal }: BenchContext): Promise<number> {
  await plain.scale(0);
  const client = makeProbeClient(plain.probe, { connections: 'fresh' });
  const answers = () =>
    client.send().then(
      ({ status }) => status === 200,
      () => false,
    );
  while ((await plain.ready()) > 0 || (await answers())) await sleep(POLL_MILLISECONDS, undefined, { signal });
  const started = performance.now();
  await plain.scale(1);
  while (!(await answers())) await sleep(RETRY_MILLISECONDS, undefined, { signal });
  return (performance.now() - started) / 1000;
}
