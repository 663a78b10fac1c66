import { createHash } from 'node:crypto';
import { cp, mkdir, readFile, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { writeFileAtomically } from '../../system/atomic-files.ts';
import { type Layer, packLayer, readLayer } from './oci-layer.ts';

/** The content of an image: programs on top of an optional base. */
export interface ImagePlan {
  /** The image's repository: `davit/coredns`. */
  readonly name: string;
  /** The folder of the packed base layer. */
  readonly base?: string;
  /** Path in the image → file on this machine. */
  readonly files: Readonly<Record<string, string>>;
  /** Empty: the container's own command decides. */
  readonly entrypoint: readonly string[];
  /** Numeric, because Kubernetes cannot tell whether a name is root's. */
  readonly user?: string;
}

/** An image in a folder, ready to be pushed. */
export interface Image {
  readonly name: string;
  /** `sha256:<hex>` of the manifest, which identifies the image. */
  readonly digest: string;
  readonly manifest: string;
  readonly config: string;
  readonly layers: readonly Layer[];
}

const MEDIA_TYPES = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
} as const;
const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Makes an image in `folder`. The same files give the same digest. */
export async function makeImage(plan: ImagePlan, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const root = join(folder, 'root');
  for (const [path, file] of Object.entries(plan.files)) {
    await mkdir(join(root, dirname(path)), { recursive: true });
    await cp(file, join(root, path), { dereference: true });
  }
  if (hasFiles(plan)) {
    await packLayer(root, folder, { owner: 'root' });
    await rm(root, { recursive: true });
  }
  await writeFileAtomically(join(folder, 'image.json'), JSON.stringify(plan));
}

/** The image that `makeImage` made in a folder. */
export async function readImage(folder: string): Promise<Image> {
  const plan = JSON.parse(await readFile(join(folder, 'image.json'), 'utf8')) as ImagePlan;
  const folders = [...(plan.base === undefined ? [] : [plan.base]), ...(hasFiles(plan) ? [folder] : [])];
  const layers = await Promise.all(folders.map(readLayer));
  const config = makeConfig(plan, layers);
  const manifest = makeManifest(config, layers);
  return { name: plan.name, digest: digest(manifest), manifest, config, layers };
}

/** A plan for one static program, under its own name. */
export function planProgramImage(
  file: string,
  { name, as = basename(file) }: { readonly name: string; readonly as?: string },
): ImagePlan {
  return { name, files: { [as]: file }, entrypoint: [`/${as}`], user: '65532' };
}

/** `sha256:<hex>` of a text. */
export function digest(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

function hasFiles({ files }: ImagePlan): boolean {
  return Object.keys(files).length > 0;
}

function makeConfig({ entrypoint, user }: ImagePlan, layers: readonly Layer[]): string {
  return JSON.stringify({
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    os: 'linux',
    config: {
      ...(entrypoint.length > 0 && { Entrypoint: entrypoint }),
      Env: [PATH],
      ...(user !== undefined && { User: user }),
    },
    rootfs: { type: 'layers', diff_ids: layers.map((l) => l.diffId) },
    history: layers.map(() => ({ created: '1970-01-01T00:00:00Z', created_by: 'davit cluster' })),
  });
}

function makeManifest(config: string, layers: readonly Layer[]): string {
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.manifest,
    config: { mediaType: MEDIA_TYPES.config, digest: digest(config), size: Buffer.byteLength(config) },
    layers: layers.map((l) => ({ mediaType: MEDIA_TYPES.layer, digest: l.digest, size: l.bytes })),
  });
}

export const MANIFEST_MEDIA_TYPE: string = MEDIA_TYPES.manifest;
