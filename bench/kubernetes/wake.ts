import { setTimeout as sleep } from 'node:timers/promises';
import { makeAsker, type Question } from '../../test/prober/probe-client.ts';
import { type Bench, type Benchmark, type Figure, repeat } from '../benchmark.ts';
import { type ClusterProject, withCluster } from './cluster-project.ts';
import { type PlainService, startPlainService } from './plain-service.ts';
import { countPods, loadSecondsOf } from './replicas.ts';

const TIMES = 3;
const ENDPOINT = 'bench-wake';
/** The shortest that an environment may have, because Knative's window is a minute. */
const ENVIRONMENT = { autoscaling: { idle_seconds: 70, scale_down_seconds: 10 } };
const ASLEEP_SECONDS = 240;
const POLL_MILLISECONDS = 500;
const RETRY_MILLISECONDS = 20;

export const wake: Benchmark = {
  summary: 'zero → answer: one request to an endpoint that has no replica',
  note: [
    'Plain is the peer: its Deployment is scaled to one replica and queried until it answers; it cannot wake by itself.',
    'Target: at most 2.5 s and the time its model takes to load.',
  ].join('\n'),
  run: (bench) =>
    withCluster(bench, ENVIRONMENT, async (cluster) => {
      bench.progress.say('Deploying …');
      await cluster.declare(ENDPOINT, { min: 0, max: 4, scaleToZero: true });
      await cluster.davit('up', ENDPOINT);
      const question = await cluster.question(ENDPOINT);
      const ours = await repeat(bench, { what: 'wake', times: TIMES }, () => wakeOnce(cluster, question, bench));
      const plain = await startPlainService(cluster, { endpoint: ENDPOINT, question, replicas: 0 });
      try {
        const theirs = await repeat(bench, { what: 'plain, 0 → 1', times: TIMES }, () => startOnce(plain, bench));
        return [
          figure(
            'zero → answer',
            'davit',
            ours.map((w) => w.seconds),
          ),
          figure('zero → answer', 'plain', theirs),
          figure(
            '  of that, the model server until ready',
            'davit',
            ours.map((w) => w.loadSeconds),
          ),
          figure(
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

function figure(what: string, side: string, values: readonly number[]): Figure {
  return { what, unit: 'wall s', side, values };
}

async function wakeOnce(cluster: ClusterProject, question: Question, bench: Bench) {
  const end = performance.now() + ASLEEP_SECONDS * 1000;
  while ((await countPods(cluster, ENDPOINT)).all > 0) {
    if (performance.now() > end) throw new Error(`Cannot measure: "${ENDPOINT}" does not scale to zero`);
    await sleep(POLL_MILLISECONDS, undefined, { signal: bench.signal });
  }
  const asker = makeAsker(question, { connections: 'fresh' });
  const started = performance.now();
  const { status, body } = await asker.ask();
  const seconds = (performance.now() - started) / 1000;
  if (status !== 200) bench.fault(`the request that wakes got ${status} ${body}, expected 200`);
  return { seconds, loadSeconds: await loadSecondsOf(cluster, ENDPOINT) };
}

async function startOnce(plain: PlainService, { signal }: Bench): Promise<number> {
  await plain.scale(0);
  const asker = makeAsker(plain.question, { connections: 'fresh' });
  const answers = () =>
    asker.ask().then(
      ({ status }) => status === 200,
      () => false,
    );
  while ((await plain.ready()) > 0 || (await answers())) await sleep(POLL_MILLISECONDS, undefined, { signal });
  const started = performance.now();
  await plain.scale(1);
  while (!(await answers())) await sleep(RETRY_MILLISECONDS, undefined, { signal });
  return (performance.now() - started) / 1000;
}
