import { createHash } from 'node:crypto';
import { z } from 'zod';
import { MANIFESTS } from '../registry.ts';
import { RegistryError } from '../send-request.ts';
import { ImageContentError } from './image-content-error.ts';
import type { Repository } from './open-repository.ts';

const descriptor = z.object({
  mediaType: z.string().default(''),
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  size: z.int().nonnegative(),
  annotations: z.record(z.string(), z.string()).nullish(),
});
/** A manifest or a blob, by its content. */
export type Descriptor = z.infer<typeof descriptor>;

const manifest = z.object({ config: descriptor, layers: z.array(descriptor).max(1000) });
export type Manifest = z.infer<typeof manifest>;

const listed = descriptor.extend({
  platform: z.object({ os: z.string(), architecture: z.string() }).nullish(),
});
const index = z.object({ manifests: z.array(listed).max(1000) });
type Listed = z.infer<typeof listed>;

const MAX_BYTES = 4 * 2 ** 20;

/** Reads the manifest of an image or artifact. Of an image for several platforms it takes that of linux/amd64. */
export async function readManifest(repository: Repository, digest: string): Promise<Manifest> {
  const value = await readJson(repository, digest);
  const list = index.safeParse(value);
  if (!list.success) return parseManifest(value);
  const chosen = choosePlatform(list.data.manifests);
  if (!chosen) throw new ImageContentError('it has no image for a platform, expected one for linux/amd64');
  return parseManifest(await readJson(repository, chosen.digest));
}

/** The files of a model are the same on each platform, so any will do. Attestations have the platform `unknown`. */
function choosePlatform(all: readonly Listed[]): Listed | undefined {
  const images = all.filter(({ platform }) => platform?.os !== 'unknown');
  return images.find((m) => m.platform?.os === 'linux' && m.platform.architecture === 'amd64') ?? images[0];
}

function parseManifest(value: unknown): Manifest {
  const parsed = manifest.safeParse(value);
  if (!parsed.success) throw new ImageContentError('its manifest is not one of an image or artifact with SHA-256 digests'); // prettier-ignore
  return parsed.data;
}

async function readJson(repository: Repository, digest: string): Promise<unknown> {
  const answer = await repository.get(`manifests/${digest}`, { accept: MANIFESTS });
  const bytes = await readBytes(answer, repository);
  if (`sha256:${createHash('sha256').update(bytes).digest('hex')}` !== digest)
    throw new RegistryError(repository.registry, 'it sent a manifest with another digest than the requested one', '');
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    throw new ImageContentError('its manifest is not JSON');
  }
}

async function readBytes(answer: Response, { registry }: Repository): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of (answer.body ?? []) as AsyncIterable<Uint8Array>) {
      size += chunk.length;
      if (size > MAX_BYTES) break;
      chunks.push(chunk);
    }
  } catch (e) {
    throw new RegistryError(registry, 'its answer ended early', 'Run the same command again', { cause: e });
  }
  if (size > MAX_BYTES) throw new ImageContentError('its manifest is larger than 4 MiB');
  return Buffer.concat(chunks);
}
