import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { withProgress } from '../../system/progress.ts';
import type { BuildOptions } from '../../system/go-build.ts';
import { ensureCachedFolder, computeCacheKey } from '../cached-folder.ts';
import {
  REMOVED_PATHS,
  REMOVED_PATHS_SLIM,
  purgePackages,
  PYTHON_PACKAGES,
  UNUSED_PACKAGES,
} from '../kubernetes-node/debian-root.ts';
import { packLayer, readLayer } from './oci-layer.ts';
import { runChecked } from '../run-checked.ts';

const SUITE = 'bookworm';
const MIRROR = 'http://deb.debian.org/debian';
/** The minor version of Debian's Python. */
export const BASE_PYTHON = '3.11';

/** Debian's smallest set with some more packages. */
interface DebianBase {
  /** The name of the cache entry: `debian`. */
  readonly name: string;
  readonly packages: readonly string[];
  /** Removes files that a server never needs. */
  readonly slim: boolean;
}

/** System libraries that compiled wheels and Node need. */
const RUNTIME_PACKAGES = ['ca-certificates', 'libgomp1', 'libstdc++6'];

const BASES = {
  /** For Envoy, because Kourier calls curl in its container. */
  tools: { name: 'debian', packages: ['curl', 'ca-certificates'], slim: false },
  python: { name: 'debian-python', packages: [...RUNTIME_PACKAGES, ...PYTHON_PACKAGES], slim: true },
  plain: { name: 'debian-plain', packages: RUNTIME_PACKAGES, slim: true },
} as const satisfies Readonly<Record<string, DebianBase>>;

/**
 * Compiles byte code that is valid whatever the time of its source, because all times in a layer are the same. A server
 * that is not root could not write byte code, so Python would compile it again at each start.
 */
const COMPILE_COMMAND = [
  ...['python3', '-m', 'compileall', '-q', '-f', '--invalidation-mode', 'unchecked-hash'],
  ...[`/usr/lib/python${BASE_PYTHON}`, '/usr/lib/python3'],
];

/** Folders with one packed layer each, by base. */
export type BaseLayers = Readonly<Record<keyof typeof BASES, string>>;

/** Makes the Debian base layers once: for Envoy, for model servers, and for programs that only need a C library. */
export async function ensureBaseLayers(options: BuildOptions): Promise<BaseLayers> {
  const folders: [string, string][] = [];
  for (const [name, base] of Object.entries(BASES)) folders.push([name, await ensureBaseLayer(base, options)]);
  return Object.fromEntries(folders) as BaseLayers;
}

function ensureBaseLayer(base: DebianBase, options: BuildOptions): Promise<string> {
  const { name, packages, slim } = base;
  return ensureCachedFolder(
    {
      name,
      key: computeCacheKey(
        SUITE,
        MIRROR,
        packages,
        REMOVED_PATHS,
        ...(slim ? [UNUSED_PACKAGES, REMOVED_PATHS_SLIM, COMPILE_COMMAND] : []),
      ),
      fill: (folder) =>
        withProgress(options.progress, `Making a Debian ${SUITE} image with debootstrap (${name})`, () =>
          fillBaseLayer(base, folder, options),
        ),
    },
    options,
  );
}

async function fillBaseLayer(base: DebianBase, folder: string, { progress, signal }: BuildOptions): Promise<void> {
  const root = join(folder, 'root');
  const options = { ...(signal && { signal }) };
  // In namespaces of its own, so that debootstrap's mounts are gone with it, even if it is killed.
  const inside = ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--propagation', 'private'];
  const debootstrap = ['debootstrap', '--variant=minbase', `--include=${base.packages.join(',')}`, SUITE, root, MIRROR];
  await runChecked('make a Debian image', [...inside, ...debootstrap], options);
  if (base.packages.includes('python3'))
    await runChecked('compile the library of Python', ['chroot', root, ...COMPILE_COMMAND]);
  if (base.slim) for (const packages of UNUSED_PACKAGES) await purgePackages(root, packages, options);
  const leftOut = [...REMOVED_PATHS, ...(base.slim ? REMOVED_PATHS_SLIM : [])];
  await Promise.all(leftOut.map((path) => rm(join(root, path), { recursive: true, force: true })));
  const size = await runChecked('measure a Debian image', ['du', '--summarize', '--block-size=1MB', root]);
  await packLayer(root, folder);
  await rm(root, { recursive: true });
  const { bytes } = await readLayer(folder);
  progress.say(`${base.name}: ${size.split('\t')[0] ?? ''} MB, packed ${Math.round(bytes / 1e6)} MB`);
}
