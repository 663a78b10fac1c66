import { runChecked } from '../run-checked.ts';

/** Paths that programs do not need at run time. They make up two thirds of a new Debian. */
export const REMOVED_PATHS = [
  'var/cache/apt',
  'var/lib/apt/lists',
  'usr/share/doc',
  'usr/share/man',
  'usr/share/locale',
];

/**
 * Paths that model servers do not need either: character sets that C programs request from iconv (Python has its own),
 * the tests and help of Python's library, and the file lists of packages. The list of packages itself stays.
 */
export const REMOVED_PATHS_SLIM = [
  'usr/lib/x86_64-linux-gnu/gconv',
  'usr/lib/aarch64-linux-gnu/gconv',
  'usr/lib/python3.11/test',
  'usr/lib/python3.11/pydoc_data',
  'usr/share/info',
  'var/cache/debconf',
  'var/lib/dpkg/info',
];

/** Python with its whole library, but without package installers. */
export const PYTHON_PACKAGES = ['python3', 'python3-distutils', 'python3-gdbm'];

/**
 * Packages that a server never needs: package tools, Perl, file systems, users and passwords. They are purged in steps,
 * because a package's removal scripts use programs of later steps. `/var/lib/dpkg` stays, because scanners read the
 * image's packages there.
 */
export const UNUSED_PACKAGES: readonly (readonly string[])[] = [
  ['adduser', 'apt', 'debian-archive-keyring', 'e2fsprogs', 'gpgv', 'logsave', 'mount', 'openssl', 'util-linux-extra'],
  ['libpam-runtime', 'libpam-modules', 'libpam-modules-bin', 'login', 'passwd', 'util-linux', 'bsdutils'],
  ['libapt-pkg6.0', 'libext2fs2', 'libss2', 'libsemanage2', 'libsemanage-common', 'libsepol2', 'libpam0g', 'libaudit1'],
  ['libaudit-common', 'libcap-ng0', 'libgnutls30', 'libhogweed6', 'libnettle8', 'libp11-kit0', 'libtasn1-6'],
  ['libidn2-0', 'libunistring2', 'libgcrypt20', 'libgpg-error0', 'libsystemd0', 'libxxhash0', 'libudev1'],
  ['libseccomp2', 'libsmartcols1', 'libmount1', 'libblkid1', 'ncurses-bin', 'sysvinit-utils'],
  ['init-system-helpers', 'debconf', 'perl-base'],
  ['diffutils', 'tar', 'dpkg'],
];

/** Purges packages from a Debian in a folder, including essential ones. */
export async function purgePackages(
  root: string,
  packages: readonly string[],
  options: { readonly signal?: AbortSignal },
): Promise<void> {
  const force = ['--force-depends', '--force-remove-essential', '--force-remove-protected'];
  const purge = ['chroot', root, 'dpkg', '--purge', ...force, ...packages];
  await runChecked(`remove ${packages.join(', ')} from a Debian image`, purge, options);
}
