import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { renderBytes } from '../../schemas/values/quantity.ts';
import { mapConcurrent } from '../../system/map-concurrent.ts';
import type { ImageReference } from '../image-reference.ts';
import { chooseFormat, type LayerFormat } from './choose-format.ts';
import { decompress, limitUnpacked } from './decompress.ts';
import { findModelInside } from './find-model-inside.ts';
import { ImageContentError } from './image-content-error.ts';
import { mergeLayers } from './merge-layers.ts';
import { openRepository, type Repository } from './open-repository.ts';
import { readBlob } from './read-blob.ts';
import { type Descriptor, readManifest } from './read-manifest.ts';
import { layerChanges, unpackLayer } from './unpack-layer.ts';

export interface PullOptions {
  /** Keeps the complete layers of an interrupted download, for the next attempt. */
  readonly folder: string;
  /** Called with the bytes that are downloaded, and those of all layers. */
  readonly onProgress: (done: number, total: number) => void;
  readonly signal: AbortSignal | undefined;
}

const LAYERS_AT_ONCE = 4;
const NO_CHANGES = { links: [], removed: [], emptied: [] };

interface Pull {
  readonly repository: Repository;
  readonly layers: string;
  readonly onBytes: (count: number) => void;
  readonly signal: AbortSignal;
}

/**
 * Downloads the model of an image or artifact, whose reference has its digest, and returns the model's folder. Layers are
 * unpacked as they arrive, so neither the memory nor the disk holds a layer besides its files.
 */
export async function pullModel(
  image: ImageReference & { readonly version: string },
  options: PullOptions,
): Promise<string> {
  const { folder, onProgress } = options;
  const failed = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, failed.signal]) : failed.signal;
  const repository = openRepository(image, signal);
  const { config, layers: all } = await readManifest(repository, image.version);
  // Of equal layers only the last one counts, because it is on top of the others.
  const listed = all.filter((layer, i) => !all.slice(i + 1).some(({ digest }) => digest === layer.digest));
  const layers = listed.map((layer) => ({ layer, format: chooseFormat(config, layer, listed.length) }));
  const total = listed.reduce((sum, { size }) => sum + size, 0);
  let done = 0;
  const onBytes = (count: number) => {
    done += count;
    onProgress(done, total);
  };
  // A merge that was interrupted has moved some files already.
  if (await stat(join(folder, 'merged')).catch(() => undefined)) await rm(folder, { recursive: true, force: true });
  const pull = { repository, layers: join(folder, 'layers'), onBytes, signal };
  await mkdir(pull.layers, { recursive: true });
  await requireSpace(folder, total);
  await pullLayers(layers, pull, failed);
  const unpacked = await Promise.all(layers.map(({ layer }) => readLayer(locateLayer(layer, pull))));
  await mergeLayers(unpacked, join(folder, 'merged'));
  return findModelInside(join(folder, 'merged'));
}

/** Ends all downloads before it throws, so that nothing writes into the folder afterwards. */
async function pullLayers(
  layers: readonly { readonly layer: Descriptor; readonly format: LayerFormat }[],
  pull: Pull,
  failed: AbortController,
): Promise<void> {
  const errors: Error[] = [];
  await mapConcurrent(layers, LAYERS_AT_ONCE, async ({ layer, format }) => {
    if (failed.signal.aborted) return;
    try {
      await pullLayer(layer, format, pull);
    } catch (e) {
      errors.push(e instanceof Error ? e : new Error(String(e)));
      failed.abort(e);
    }
  });
  const [first] = errors;
  if (first !== undefined) throw first;
}

function locateLayer({ digest }: Descriptor, { layers }: Pull): string {
  return join(layers, digest.replace('sha256:', ''));
}

async function readLayer(place: string) {
  const changes = layerChanges.parse(JSON.parse(await readFile(join(place, 'changes.json'), 'utf8')));
  return { ...changes, folder: join(place, 'files') };
}

/** Downloads one layer, unless an earlier attempt has. */
async function pullLayer(layer: Descriptor, format: LayerFormat, pull: Pull): Promise<void> {
  const place = locateLayer(layer, pull);
  if (await stat(place).catch(() => undefined)) {
    pull.onBytes(layer.size);
    return;
  }
  const fresh = `${place}.part`;
  const changes = format.kind === 'file' ? await pullFile(layer, fresh, { path: format.path, pull }) : await pullArchive(layer, fresh, { below: format.below, pull }); // prettier-ignore
  await writeFile(join(fresh, 'changes.json'), JSON.stringify(changes));
  await rename(fresh, place);
}

async function pullArchive(
  layer: Descriptor,
  fresh: string,
  { below, pull }: { readonly below: string; readonly pull: Pull },
) {
  await rm(fresh, { recursive: true, force: true });
  const folder = join(fresh, 'files');
  await mkdir(folder, { recursive: true });
  const blob = readBlob(pull.repository, layer, pull);
  const read: { isComplete: boolean; outage?: Error } = { isComplete: false };
  async function* readWhole() {
    try {
      for (let next = await blob.next(); next.done !== true; next = await blob.next()) yield next.value;
      read.isComplete = true; // and it has the digest
    } catch (e) {
      read.outage = e instanceof Error ? e : new Error(String(e));
      throw e;
    }
  }
  try {
    const changes = await unpackLayer(decompress(readWhole(), limitUnpacked(layer.size)), { folder, below });
    if (!read.isComplete) throw new ImageContentError('a layer of it has bytes after the end of its archive');
    return changes;
  } catch (e) {
    if (!(e instanceof ImageContentError)) throw e;
    // The image is not at fault for bytes that its registry has damaged. The rest of the blob says which it is.
    while (read.outage === undefined && (await blob.next()).done !== true);
    throw read.outage ?? e;
  } finally {
    await blob.return(undefined);
  }
}

/** Continues a file where an earlier attempt has stopped. */
async function pullFile(
  layer: Descriptor,
  fresh: string,
  { path, pull }: { readonly path: string; readonly pull: Pull },
) {
  const file = join(fresh, 'files', path);
  await mkdir(dirname(file), { recursive: true });
  const hash = createHash('sha256');
  const known = (await stat(file).catch(() => undefined))?.size ?? 0;
  const isUsable = known <= layer.size;
  if (isUsable && known > 0) for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  const size = isUsable ? known : 0;
  pull.onBytes(size);
  const handle = await open(file, isUsable ? 'a' : 'w');
  try {
    for await (const chunk of readBlob(pull.repository, layer, { ...pull, begin: { size, hash } }))
      await handle.writeFile(chunk);
  } catch (e) {
    if (!pull.signal.aborted && (await handle.stat()).size >= layer.size) await rm(fresh, { recursive: true, force: true }); // prettier-ignore
    throw e;
  } finally {
    await handle.close();
  }
  return NO_CHANGES;
}

/** A disk that becomes full after an hour is found out now. Layers of an earlier attempt are on it already. */
async function requireSpace(folder: string, total: number): Promise<void> {
  const { bavail, bsize, blocks } = await statfs(folder);
  const there = await measure(folder);
  const [needed, free] = [total - there, bavail * bsize];
  if (blocks > 0 && needed > free)
    throw new Error(`Cannot download ${renderBytes(total)}: the disk of ${folder} has ${renderBytes(free)} free, expected ${renderBytes(needed)}. Make room, then run the same command again`); // prettier-ignore
}

async function measure(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const sizes = entries.map(async (e) => (e.isFile() ? (await stat(join(e.parentPath, e.name))).size : 0));
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
