import { mkdir, readdir, realpath, rename, rm, stat, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isBelow } from '../../system/is-below.ts';
import { ImageContentError } from './image-content-error.ts';
import type { LayerChanges } from './unpack-layer.ts';

/** A layer that is unpacked. */
export interface UnpackedLayer extends LayerChanges {
  readonly folder: string;
}

/** Lays layers on top of each other in `folder`, the lowest first. It moves files, so none is on the disk twice. */
export async function mergeLayers(layers: readonly UnpackedLayer[], folder: string): Promise<void> {
  const links = new Map<string, string>();
  await mkdir(folder, { recursive: true });
  for (const layer of layers) {
    for (const path of layer.emptied) await removePath(path, { folder, links, isKept: true });
    for (const path of layer.removed) await removePath(path, { folder, links, isKept: false });
    await moveFiles(layer.folder, '', { folder, links });
    for (const [path, target] of layer.links) {
      await removePath(path, { folder, links, isKept: false });
      links.set(path, target);
    }
  }
  await makeLinks(folder, links);
}

interface Merged {
  readonly folder: string;
  readonly links: Map<string, string>;
}

/** `isKept`: only what is in the folder is removed. */
async function removePath(
  path: string,
  { folder, links, isKept }: Merged & { readonly isKept: boolean },
): Promise<void> {
  for (const at of links.keys()) if ((at === path && !isKept) || at.startsWith(`${path}/`) || path === '') links.delete(at); // prettier-ignore
  if (!isKept && path !== '') {
    await rm(join(folder, path), { recursive: true, force: true });
    return;
  }
  for (const name of await readdir(join(folder, path)).catch(() => []))
    await rm(join(folder, path, name), { recursive: true, force: true });
}

async function moveFiles(from: string, path: string, merged: Merged): Promise<void> {
  const { folder, links } = merged;
  for (const entry of await readdir(join(from, path), { withFileTypes: true })) {
    const inner = path === '' ? entry.name : `${path}/${entry.name}`;
    const target = join(folder, inner);
    links.delete(inner);
    const there = await stat(target).catch(() => undefined);
    if (there && (there.isDirectory() !== entry.isDirectory() || entry.isFile()))
      await removePath(inner, { ...merged, isKept: false });
    if (entry.isDirectory()) {
      await mkdir(target, { recursive: true });
      await moveFiles(from, inner, merged);
    } else await rename(join(from, inner), target);
  }
}

async function makeLinks(folder: string, links: ReadonlyMap<string, string>): Promise<void> {
  for (const [path, target] of links) {
    for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1))
      if (links.has(path.slice(0, at))) throw new ImageContentError(`the link "${path}" in it is inside another link`);
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await symlink(target, join(folder, path));
  }
  const root = await realpath(folder);
  for (const path of links.keys()) {
    const target = await realpath(join(folder, path)).catch(() => undefined);
    if (target === undefined || !isBelow(target, root) || !(await stat(target)).isFile())
      throw new ImageContentError(`the link "${path}" in it does not lead to a file of the model`);
  }
}
