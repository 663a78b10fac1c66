import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildMissingImages } from '../../app/images/build-missing-images.ts';
import { openProjectForRequest } from '../../app/project-request.ts';
import { planImage } from '../../images/plan-image.ts';
import { readEndpoint, readLock } from '../../schemas/read-project.ts';
import type { BenchContext, Benchmark, Figure } from '../benchmark.ts';
import { type ClusterProject, withCluster } from './cluster-project.ts';
import { sendDockerRequest, readLayers } from './registry-image.ts';

const ENDPOINT = 'bench-image';
const MEGABYTE = 1e6;

export const image: Benchmark = {
  summary: 'building and pushing the image of the example, and the upload for a new model with the same lock',
  note: [
    'The build cache of Docker’s engine is emptied first if the environment names its socket. There is no peer,',
    'because MLflow’s own build needs the internet and makes one layer for packages and model together.',
  ].join('\n'),
  run: (bench) =>
    // Uses a separate registry path, which is empty.
    withCluster(bench, makeOwnRegistry, async (cluster) => {
      const { environment } = cluster;
      await cluster.declare(ENDPOINT);
      const emptied = await sendDockerRequest(environment.images.dockerHost, 'POST', '/build/prune?all=true');
      bench.progress.say(emptied === undefined ? 'Docker’s build cache is as it was' : 'Docker’s build cache is empty');
      const first = await build(cluster, bench);
      const again = await build(cluster, bench);
      // Adds a file to make another model with the same lock, as a new training would.
      await writeFile(join(cluster.root, 'models/iris/2/notes.txt'), 'trained again');
      await cluster.declare(ENDPOINT);
      const second = await build(cluster, bench);
      return renderImages({ cold: emptied !== undefined, first, again, second });
    }),
};

function makeOwnRegistry({ images }: { readonly images: { readonly registry: string } }): object {
  return { images: { ...images, registry: `${images.registry}-bench-${process.pid}` } };
}

interface ImageBuild {
  readonly seconds: number;
  readonly megabytes: number;
  /** Size on disk according to Docker. NaN: unknown. */
  readonly unpacked: number;
  readonly layers: ReadonlyMap<string, number>;
}

async function build({ root, environment }: ClusterProject, bench: BenchContext): Promise<ImageBuild> {
  const place = { root, endpoints: 'endpoints' };
  const { value: endpoint } = await readEndpoint(place, ENDPOINT);
  const { value: lock } = await readLock(place, ENDPOINT);
  const [entity] = endpoint?.entities ?? [];
  if (!endpoint || !entity || !lock) throw new Error(`Cannot read "${ENDPOINT}" and its lock`);
  const { progress, signal } = bench;
  const request = { place: { root, endpoints: 'endpoints' }, progress, signal };
  const project = await openProjectForRequest(request);
  const started = performance.now();
  await buildMissingImages(endpoint, { ...request, project, environment });
  const seconds = (performance.now() - started) / 1000;
  const { reference } = await planImage({ endpoint, entity, lock, settings: environment.images });
  const layers = new Map((await readLayers(reference)).map((l) => [l.digest, l.size]));
  const seen = await sendDockerRequest(environment.images.dockerHost, 'GET', `/images/${reference}/json`);
  const unpacked = ((seen as { readonly Size?: number } | undefined)?.Size ?? NaN) / MEGABYTE;
  return { seconds, megabytes: sum(layers) / MEGABYTE, unpacked, layers };
}

interface ImageBuilds {
  readonly cold: boolean;
  readonly first: ImageBuild;
  readonly again: ImageBuild;
  readonly second: ImageBuild;
}

function renderImages({ cold, first, again, second }: ImageBuilds): readonly Figure[] {
  const one = (what: string, unit: string, value: number): Figure => ({ what, unit, side: 'davit', values: [value] });
  const shipped = new Map([...second.layers].filter(([digest]) => !first.layers.has(digest)));
  return [
    one(cold ? 'build and push, nothing built before' : 'build and push, cache as it was', 'wall s', first.seconds),
    one('nothing to build', 'wall s', again.seconds),
    one('build and push, new model, same lock', 'wall s', second.seconds),
    one('image in the registry', 'MB', first.megabytes),
    one('image unpacked', 'MB', first.unpacked),
    one('shipped for a new model', 'kB', sum(shipped) / 1000),
  ];
}

function sum(layers: ReadonlyMap<string, number>): number {
  return [...layers.values()].reduce((total, size) => total + size, 0);
}
