import { type Bench, type Benchmark, type Figure, repeat, timedFigures } from '../benchmark.ts';
import { putUnderLoad, loadFigures } from '../measure-load.ts';
import { type ClusterProject, withCluster } from './cluster-project.ts';
import { putCrowd, removeCrowd } from './endpoint-copies.ts';

const TIMES = 3;
const ENDPOINT = 'bench-stacks';
const CROWD = 200;

export const stacks: Benchmark = {
  summary: `\`davit preview\` and \`davit up\` of one endpoint, alone and beside ${CROWD} others`,
  note: 'The others have a revision each that never had a replica. Target: no difference, for their stacks are their own.',
  run: (bench) =>
    withCluster(bench, {}, async (cluster) => {
      bench.progress.say('Deploying …');
      await cluster.declare(ENDPOINT);
      await cluster.davit('up', ENDPOINT);
      const alone = await measure(cluster, 'alone', bench);
      try {
        bench.progress.say(`Adding ${CROWD} endpoints …`);
        await putCrowd(cluster, { like: ENDPOINT, count: CROWD, bench });
        return [...alone, ...(await measure(cluster, `beside ${CROWD}`, bench))];
      } finally {
        bench.progress.say(`Removing ${CROWD} endpoints …`);
        await removeCrowd(cluster);
      }
    }),
};

async function measure(cluster: ClusterProject, side: string, bench: Bench): Promise<readonly Figure[]> {
  const runs = (what: string, ...args: readonly [string, ...string[]]) =>
    repeat(bench, { what: `${what}, ${side}`, times: TIMES }, () => cluster.davit(...args));
  const same = await runs('preview, no change', 'preview', ENDPOINT);
  const idle = await runs('up, no change', 'up', ENDPOINT);
  const versions = ['1', '2'] as const;
  const updates = await repeat(bench, { what: `up, entity changed, ${side}`, times: TIMES }, async (round) => {
    await cluster.declare(ENDPOINT, { version: versions[round % 2] ?? '1' });
    return cluster.davit('up', ENDPOINT);
  });
  const asked = await putUnderLoad(await cluster.question(ENDPOINT), bench, { connections: 1, readCpu: () => NaN });
  await cluster.declare(ENDPOINT); // as it was, for the next measurement
  await cluster.davit('up', ENDPOINT);
  return [
    ...timedFigures('preview, no change', side, same),
    ...timedFigures('up, no change', side, idle),
    ...timedFigures('up, entity changed', side, updates),
    ...loadFigures('1 connection', side, [asked]).filter((f) => f.unit.startsWith('p')),
  ];
}
