import { link, mkdir, open, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { ImageContentError } from './image-content-error.ts';
import { readTar, type TarEntry } from './read-tar.ts';
import { normalizeLink, parseSafePath } from './safe-path.ts';

/** What a layer changes besides the files that it brings. Paths are relative to the folder of the files. */
export const layerChanges = z.object({
  /** Symbolic links and their targets. They are made last, so that no file is written through one. */
  links: z.array(z.tuple([z.string(), z.string()])),
  /** Files and folders of lower layers that it removes. */
  removed: z.array(z.string()),
  /** Folders whose content in lower layers it removes. */
  emptied: z.array(z.string()),
});
export type LayerChanges = z.infer<typeof layerChanges>;

const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';
const MAX_ENTRIES = 1_000_000;

/** Where the files of a model are in an archive: `models/` of an image, or an empty text for the whole. */
interface Unpacking {
  readonly folder: string;
  readonly below: string;
  readonly links: Map<string, string>;
  readonly removed: Set<string>;
  readonly emptied: Set<string>;
}

/** Unpacks the files of a tar archive that are below a folder of it. No entry can lead out of `folder`. */
export async function unpackLayer(
  bytes: AsyncIterable<Uint8Array>,
  { folder, below }: { readonly folder: string; readonly below: string },
): Promise<LayerChanges> {
  const unpacking = { folder, below, links: new Map<string, string>(), removed: new Set<string>(), emptied: new Set<string>() }; // prettier-ignore
  let count = 0;
  for await (const entry of readTar(bytes)) {
    if (++count > MAX_ENTRIES) throw new ImageContentError(`a layer of it has more than ${MAX_ENTRIES} files`);
    const path = parseSafePath(entry.path, below);
    if (path !== undefined) await unpackEntry(entry, path, unpacking);
    else if (removesAll(entry.path, below)) unpacking.emptied.add('');
  }
  const { links, removed, emptied } = unpacking;
  return { links: [...links], removed: [...removed], emptied: [...emptied] };
}

/** Whether an entry removes the folder of the models as a whole. */
function removesAll(written: string, below: string): boolean {
  const path = written.replace(/^\.?\//, '');
  return below !== '' && [OPAQUE, `${WHITEOUT}${below.slice(0, -1)}`].includes(path);
}

async function unpackEntry(entry: TarEntry, path: string, unpacking: Unpacking): Promise<void> {
  const { folder, below, links } = unpacking;
  const at = path.lastIndexOf('/') + 1;
  const [parent, name] = [path.slice(0, at), path.slice(at)];
  // Only the layers of an image remove files: in another archive these are names.
  if (below !== '' && name === OPAQUE) unpacking.emptied.add(parent.slice(0, -1));
  else if (below !== '' && name.startsWith(WHITEOUT)) unpacking.removed.add(parseRemoved(parent, name));
  else if (entry.kind === 'folder') {
    links.delete(path);
    await explainConflict(path, () => mkdir(join(folder, path), { recursive: true }));
  } else {
    if (path === '') throw new ImageContentError('a layer of it has no folder where its files are');
    await prepare(path, unpacking);
    if (entry.kind === 'symbolic-link') links.set(path, normalizeLink(path, entry.target, below));
    else if (entry.kind === 'hard-link') await linkFile(path, entry.target, unpacking);
    else if (entry.kind === 'file') await writeContent(join(folder, path), entry.content);
    else throw new ImageContentError(`"${path}" in it is neither a file, nor a folder, nor a link`);
  }
}

function parseRemoved(parent: string, name: string): string {
  const removed = name.slice(WHITEOUT.length);
  const path = parseSafePath(parent + removed, '');
  if (path === undefined || removed === '' || removed === '.')
    throw new ImageContentError(`its entry ${JSON.stringify(parent + name)} removes no file`);
  return path;
}

/** Makes the folders above a file, and removes an earlier entry of the same name. */
async function prepare(path: string, { folder, links }: Unpacking): Promise<void> {
  for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1))
    if (links.has(path.slice(0, at))) throw new ImageContentError(`"${path}" in it is written through a link`);
  links.delete(path);
  await explainConflict(path, async () => {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await rm(join(folder, path), { recursive: true, force: true });
  });
}

async function linkFile(path: string, target: string, { folder, below }: Unpacking): Promise<void> {
  const from = parseSafePath(target, below);
  if (from === undefined || from === '') throw new ImageContentError(`the link "${path}" in it leads out of the model`);
  await explainConflict(path, () => link(join(folder, from), join(folder, path)));
}

/** Writes the bytes of a file as they come. */
async function writeContent(file: string, content: AsyncIterable<Uint8Array>): Promise<void> {
  const handle = await open(file, 'wx');
  try {
    for await (const chunk of content) await handle.writeFile(chunk);
  } finally {
    await handle.close();
  }
}

/** The file system refuses an archive whose entries contradict each other: a file in a file, a link to nothing. */
async function explainConflict(path: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (e) {
    const { code = '' } = e as NodeJS.ErrnoException;
    if (!['EEXIST', 'ENOTDIR', 'EISDIR', 'ENOENT', 'EPERM', 'ENAMETOOLONG'].includes(code)) throw e;
    throw new ImageContentError(`"${path}" in it contradicts another entry of its layer (${code})`, { cause: e });
  }
}
