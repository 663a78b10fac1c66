/**
 * The libraries of `python:3.X-slim`, on Debian 12 and 13: those of Debian's smallest set of packages, and those that the
 * image's Python needs.
 */
const SLIM = new Set(
  `ld-linux-aarch64.so.1 ld-linux-x86-64.so.2 libBrokenLocale.so.1 libacl.so.1 libanl.so.1 libattr.so.1 libaudit.so.1
  libblkid.so.1 libbz2.so.1 libbz2.so.1.0 libc.so.6 libc_malloc_debug.so.0 libcap-ng.so.0 libcap.so.2 libcom_err.so.2
  libcrypt.so.1 libcrypto.so.3 libdb-5.3.so libdl.so.2 libexpat.so.1 libffi.so.8 libexpatw.so.1 libformw.so.6 libgcc_s.so.1
  libgdbm.so.6 libgdbm_compat.so.4 libgmp.so.10 libhistory.so.8 liblz4.so.1 liblzma.so.5 libm.so.6 libmd.so.0
  libmemusage.so libmenuw.so.6 libmount.so.1 libmvec.so.1 libncursesw.so.6 libnsl.so.1
  libpam.so.0 libpam_misc.so.0 libpanelw.so.6 libpcprofile.so libpcre2-8.so.0 libpthread.so.0
  libreadline.so.8 libresolv.so.2 librt.so.1 libselinux.so.1 libsemanage.so.2 libsepol.so.2 libsmartcols.so.1
  libsqlite3.so.0 libssl.so.3 libstdc++.so.6 libsystemd.so.0 libthread_db.so.1 libtic.so.6 libtinfo.so.6 libudev.so.1
  libutil.so.1 libuuid.so.1 libxxhash.so.0 libz.so.1 libzstd.so.1`.split(/\s+/),
);

/** Debian 13 no longer has these. */
const ONLY_DEBIAN_12 = new Set(
  `libapt-pkg.so.6.0 libe2p.so.2 libext2fs.so.2 libgcrypt.so.20 libgnutls.so.30 libgpg-error.so.0 libhogweed.so.6
  libidn2.so.0 libnettle.so.8 libp11-kit.so.0 libpsx.so.2 libseccomp.so.2 libss.so.2 libtasn1.so.6 libunistring.so.2`.split(
    /\s+/,
  ),
);

/** The module nis needs them, which Python 3.13 removed. */
const UNTIL_PYTHON_3_12 = new Set(
  `libgssapi_krb5.so.2 libk5crypto.so.3 libkeyutils.so.1 libkrb5.so.3 libkrb5support.so.0 libnsl.so.2
  libtirpc.so.3`.split(/\s+/),
);

/** glibc's plug-ins for names of users and hosts, which differ from machine to machine. */
const NAME_SERVICE = /^libnss_/;
/** The driver of a graphics card, which the container runtime mounts. */
const DRIVER = /^lib(?:cuda|cudadebugger|nvcuvid|nvidia-[\w-]+|nvoptix)\.so/;

/** `python:3.11-slim@sha256:…`, `docker.io/library/…` or a mirror of it: only the tag says which variant it is. */
const SLIM_IMAGE = /(?:^|\/library\/)python:3\.(\d+)(?:\.\d+)?-slim(?:-(bookworm|trixie))?@/;

/** Whether a base image has a library. Nobody here knows what other images than the slim ones of Python contain. */
export function baseHasLibrary(base: string, library: string): 'yes' | 'no' | 'unknown' {
  if (SLIM.has(library) || NAME_SERVICE.test(library) || DRIVER.test(library)) return 'yes';
  const [image, minor = '', suite] = SLIM_IMAGE.exec(base) ?? [];
  if (image === undefined) return 'unknown';
  if (UNTIL_PYTHON_3_12.has(library)) return Number(minor) <= 12 ? 'yes' : 'no';
  if (!ONLY_DEBIAN_12.has(library) || suite === 'trixie') return 'no';
  return suite === 'bookworm' ? 'yes' : 'unknown'; // `slim` was Debian 12 until August 2025
}
