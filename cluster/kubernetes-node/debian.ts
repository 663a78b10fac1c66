import { delimiter, join } from 'node:path';
import { withProgress } from '../../system/progress.ts';
import { type ProcessOptions, isExecutable, makeChildEnvironment } from '../../system/run-process.ts';
import type { BuildOptions } from '../../system/go-build.ts';
import { runChecked } from '../run-checked.ts';

/** The Debian package of each program that the node needs. */
const PROGRAMS = {
  containerd: 'containerd',
  'containerd-shim-runc-v2': 'containerd',
  ctr: 'containerd',
  debootstrap: 'debootstrap',
  ip: 'iproute2',
  iptables: 'iptables',
  mount: 'mount',
  nsenter: 'util-linux',
  openssl: 'openssl',
  runc: 'runc',
  tar: 'tar',
  unshare: 'util-linux',
} as const;
/** The Debian package of each library that Docker's engine needs. */
const LIBRARIES = { 'libdevmapper.so.1.02.1': 'libdevmapper1.02.1', 'libsystemd.so.0': 'libsystemd0' };
const CNI_PLUGINS = { folder: '/usr/lib/cni', plugins: ['ptp', 'host-local', 'portmap', 'loopback'] };
const CNI_PACKAGE = 'containernetworking-plugins';

/** Debian has administration programs in folders that may not be on a user's PATH. */
export const SYSTEM_PATH = [process.env['PATH'] ?? '', '/usr/sbin', '/sbin', '/usr/bin', '/bin'].join(delimiter);
export const CNI_FOLDER = CNI_PLUGINS.folder;

/** Installs missing Debian packages that the node needs with apt, and reports it. They stay installed after `down`. */
export async function ensureDebianPackages({ progress, signal }: BuildOptions): Promise<void> {
  const missing = await listMissingPackages();
  if (missing.length === 0) return;
  if (!(await findProgram('apt-get')))
    throw new Error(
      `Cannot make a node: ${missing.join(', ')} not installed, and there is no apt-get. Install them and run the same command again`,
    );
  const options = {
    env: makeChildEnvironment({ DEBIAN_FRONTEND: 'noninteractive' }),
    ...(signal && { signal }),
  };
  const words = `Installing Debian packages with apt (they stay installed): ${missing.join(', ')}`;
  await withProgress(progress, words, async () => {
    await updateDebianLists(options);
    const install = ['apt-get', 'install', '-y', '-qq', '--no-install-recommends', ...missing];
    await runChecked(`install ${missing.join(', ')}`, install, options);
  });
}

/** Updates apt's package lists from the mirrors. */
export async function updateDebianLists(options: ProcessOptions): Promise<void> {
  await runChecked('read the list of Debian packages', ['apt-get', 'update', '-qq'], options);
}

async function listMissingPackages(): Promise<readonly string[]> {
  const programs = await Promise.all(
    Object.entries(PROGRAMS).map(async ([program, name]) => ((await findProgram(program)) ? [] : [name])),
  );
  const plugins = await Promise.all(
    CNI_PLUGINS.plugins.map(async (p) => ((await isExecutable(join(CNI_PLUGINS.folder, p))) ? [] : [CNI_PACKAGE])),
  );
  const known = await runChecked('list the libraries', ['ldconfig', '-p'], {
    env: makeChildEnvironment({ PATH: SYSTEM_PATH }),
  });
  const libraries = Object.entries(LIBRARIES).map(([library, name]) => (known.includes(library) ? [] : [name]));
  return [...new Set([...programs, ...plugins, ...libraries].flat())];
}

/** The path of a program, or undefined. */
export async function findProgram(name: string): Promise<string | undefined> {
  for (const folder of SYSTEM_PATH.split(delimiter).filter(Boolean)) {
    if (await isExecutable(join(folder, name))) return join(folder, name);
  }
  return undefined;
}
