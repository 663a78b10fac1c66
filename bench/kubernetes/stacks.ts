import { type BenchContext, type Benchmark, type Figure, repeatWork, makeTimeFigures } from '../benchmark.ts';
import { measureLoad, makeLoadFigures } from '../measure-load.ts';
import { type ClusterProject, withCluster } from './cluster-project.ts';
import { createEndpointCopies, removeEndpointCopies } from './endpoint-copies.ts';

const TIMES = 3;
const ENDPOINT = 'bench-stacks';
const COPIES = 200;

export const stacks: Benchmark = {
  summary: `\`davit preview\` and \`davit up\` of one endpoint, alone and with ${COPIES} others on the cluster`,
  note: 'The others have one revision each, without a replica. Target: no difference, because each has its own stack.',
  run: (bench) =>
    withCluster(bench, {}, async (cluster) => {
      bench.progress.say('Deploying …');
      await cluster.declare(ENDPOINT);
      await cluster.davit('up', ENDPOINT);
      const alone = await measureStacks(cluster, 'alone', bench);
      try {
        bench.progress.say(`Adding ${COPIES} endpoints …`);
        await createEndpointCopies(cluster, { like: ENDPOINT, count: COPIES, bench });
        return [...alone, ...(await measureStacks(cluster, `beside ${COPIES}`, bench))];
      } finally {
        bench.progress.say(`Removing ${COPIES} endpoints …`);
        await removeEndpointCopies(cluster);
      }
    }),
};

async function measureStacks(cluster: ClusterProject, side: string, bench: BenchContext): Promise<readonly Figure[]> {
  const runs = (what: string, ...args: readonly [string, ...string[]]) =>
    repeatWork(bench, { what: `${what}, ${side}`, times: TIMES }, () => cluster.davit(...args));
  const same = await runs('preview, no change', 'preview', ENDPOINT);
  const idle = await runs('up, no change', 'up', ENDPOINT);
  const versions = ['1', '2'] as const;
  const updates = await repeatWork(bench, { what: `up, entity changed, ${side}`, times: TIMES }, async (round) => {
    await cluster.declare(ENDPOINT, { version: versions[round % 2] ?? '1' });
    return cluster.davit('up', ENDPOINT);
  });
  const report = await measureLoad(await cluster.makeProbe(ENDPOINT), bench, { connections: 1, readCpu: () => NaN });
  await cluster.declare(ENDPOINT); // the original settings again, for the next measurement
  await cluster.davit('up', ENDPOINT);
  return [
    ...makeTimeFigures('preview, no change', side, same),
    ...makeTimeFigures('up, no change', side, idle),
    ...makeTimeFigures('up, entity changed', side, updates),
    ...makeLoadFigures('1 connection', side, [report]).filter((f) => f.unit.startsWith('p')),
  ];
}
