import { join } from 'node:path';
import { withProgress } from '../../system/progress.ts';
import type { BuildOptions } from '../../system/go-build.ts';
import { ensureBaseLayers } from './base-image.ts';
import { ensureCachedFolder, computeCacheKey } from '../cached-folder.ts';
import type { GoPrograms } from '../go-programs.ts';
import { findNodeProgram } from '../kubernetes-node/nodejs-program.ts';
import { type Image, type ImagePlan, makeImage, planProgramImage, readImage } from './oci-image.ts';
import { REGISTRY } from '../kubernetes-node/node-layout.ts';
import type { WheelPrograms } from './wheels.ts';

const KNATIVE_PROGRAMS = ['activator', 'autoscaler', 'controller', 'kourier', 'queue', 'webhook'] as const;
/**
 * Images of the cluster's programs, and base images for Davit's builds: `python` for model servers, `node` for its
 * services.
 */
export type ImageName = 'coredns' | 'envoy' | 'node' | 'pause' | 'python' | (typeof KNATIVE_PROGRAMS)[number];
export type Images = Readonly<Record<ImageName, Image>>;

/** The images that the registry holds from the start. They are made once and named by digest. */
export async function ensureImages(
  programs: GoPrograms,
  wheels: WheelPrograms,
  options: BuildOptions,
): Promise<Images> {
  const bases = await ensureBaseLayers(options);
  const node = findNodeProgram();
  const plans: readonly ImagePlan[] = [
    planProgramImage(join(programs.node, 'node'), { name: 'davit/pause', as: 'pause' }),
    planProgramImage(join(programs.coredns, 'coredns'), { name: 'davit/coredns' }),
    ...KNATIVE_PROGRAMS.map((p) => planProgramImage(join(programs.knative, p), { name: `davit/${p}` })),
    {
      name: 'davit/envoy',
      base: bases.tools,
      files: { 'usr/local/bin/envoy': wheels.envoy },
      entrypoint: ['/usr/local/bin/envoy'],
      user: '65532',
    },
    { name: 'davit/python', base: bases.python, files: {}, entrypoint: [] },
    { name: 'davit/node', base: bases.plain, files: { 'usr/local/bin/node': node.file }, entrypoint: [] },
  ];
  const folder = await ensureCachedFolder(
    {
      name: 'images',
      key: computeCacheKey(plans, node.version),
      fill: (fresh) => withProgress(options.progress, 'Making container images', () => makeAllImages(plans, fresh)),
    },
    options,
  );
  const images = await Promise.all(plans.map(async (p) => [shortName(p), await readImage(join(folder, shortName(p)))]));
  return Object.fromEntries(images) as Images;
}

/** The name by which a pod pulls an image. It has a digest, never a tag. */
export function makeImageReference(image: Image): string {
  return `${REGISTRY}/${image.name}@${image.digest}`;
}

async function makeAllImages(plans: readonly ImagePlan[], folder: string): Promise<void> {
  for (const plan of plans) await makeImage(plan, join(folder, shortName(plan)));
}

function shortName(plan: ImagePlan): string {
  return plan.name.replace('davit/', '');
}
