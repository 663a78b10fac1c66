import { runChecked } from './run-checked.ts';

/** Not needed to run: two thirds of a new Debian. */
export const LEFT_OUT = ['var/cache/apt', 'var/lib/apt/lists', 'usr/share/doc', 'usr/share/man', 'usr/share/locale'];

/**
 * Besides, in what models run on: character sets that C programs ask iconv for (Python has its own), tests and help of
 * Python's library, and which file is of which package; which packages there are stays.
 */
export const LEFT_OUT_SLIM = [
  'usr/lib/x86_64-linux-gnu/gconv',
  'usr/lib/aarch64-linux-gnu/gconv',
  'usr/lib/python3.11/test',
  'usr/lib/python3.11/pydoc_data',
  'usr/share/info',
  'var/cache/debconf',
  'var/lib/dpkg/info',
];

/** Python with its whole library, without what would install packages into it. */
export const PYTHON = ['python3', 'python3-distutils', 'python3-gdbm'];

/**
 * What a server never needs: package tools, Perl, file systems, users and passwords. In steps, because the scripts by
 * which a package leaves use programs of later ones. `/var/lib/dpkg` stays: scanners read there what an image has.
 */
export const UNUSED: readonly (readonly string[])[] = [
  ['adduser', 'apt', 'debian-archive-keyring', 'e2fsprogs', 'gpgv', 'logsave', 'mount', 'openssl', 'util-linux-extra'],
  ['libpam-runtime', 'libpam-modules', 'libpam-modules-bin', 'login', 'passwd', 'util-linux', 'bsdutils'],
  ['libapt-pkg6.0', 'libext2fs2', 'libss2', 'libsemanage2', 'libsemanage-common', 'libsepol2', 'libpam0g', 'libaudit1'],
  ['libaudit-common', 'libcap-ng0', 'libgnutls30', 'libhogweed6', 'libnettle8', 'libp11-kit0', 'libtasn1-6'],
  ['libidn2-0', 'libunistring2', 'libgcrypt20', 'libgpg-error0', 'libsystemd0', 'libxxhash0', 'libudev1'],
  ['libseccomp2', 'libsmartcols1', 'libmount1', 'libblkid1', 'ncurses-bin', 'sysvinit-utils'],
  ['init-system-helpers', 'debconf', 'perl-base'],
  ['diffutils', 'tar', 'dpkg'],
];

/** Takes packages out of a Debian in a folder, also those that it calls essential. */
export async function purgePackages(
  root: string,
  packages: readonly string[],
  options: { readonly signal?: AbortSignal },
): Promise<void> {
  const force = ['--force-depends', '--force-remove-essential', '--force-remove-protected'];
  const purge = ['chroot', root, 'dpkg', '--purge', ...force, ...packages];
  await runChecked(`take ${packages.join(', ')} out of a Debian image`, purge, options);
}
