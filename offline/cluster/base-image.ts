import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { timed } from '../../system/progress.ts';
import type { BuildOptions } from '../go-build.ts';
import { ensureFolder, keyOf } from './cached-folder.ts';
import { packLayer } from './oci-layer.ts';
import { runChecked } from './run-checked.ts';

const SUITE = 'bookworm';
const MIRROR = 'http://deb.debian.org/debian';
const PACKAGES = ['curl', 'ca-certificates'];
/** Not needed to run: two thirds of it. */
const LEFT_OUT = ['var/cache/apt', 'var/lib/apt/lists', 'usr/share/doc', 'usr/share/man', 'usr/share/locale'];

/** Debian as an image layer, for programs that need a C library: a folder with one packed layer, made once. */
export async function ensureBaseLayer(options: BuildOptions): Promise<string> {
  return ensureFolder(
    {
      name: 'debian',
      key: keyOf(SUITE, MIRROR, PACKAGES, LEFT_OUT),
      fill: (folder) =>
        timed(options.progress, `Making a Debian ${SUITE} image with debootstrap`, () => fill(folder, options)),
    },
    options,
  );
}

async function fill(folder: string, { signal }: BuildOptions): Promise<void> {
  const root = join(folder, 'root');
  // In namespaces of its own: what debootstrap mounts goes with it, also when it is killed.
  const inside = ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--propagation', 'private'];
  const debootstrap = ['debootstrap', '--variant=minbase', `--include=${PACKAGES.join(',')}`, SUITE, root, MIRROR];
  await runChecked('make a Debian image', [...inside, ...debootstrap], { ...(signal && { signal }) });
  await Promise.all(LEFT_OUT.map((path) => rm(join(root, path), { recursive: true, force: true })));
  await packLayer(root, folder);
  await rm(root, { recursive: true });
}
