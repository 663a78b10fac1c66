import { readOwn } from '../../schemas/values/read-own.ts';

/** The Debian packages of libraries that common wheels need from the system. Their names are the same in Ubuntu. */
const PACKAGES: Readonly<Record<string, string>> = {
  'libEGL.so.1': 'libegl1',
  'libGL.so.1': 'libgl1',
  'libGLX.so.0': 'libglx0',
  'libICE.so.6': 'libice6',
  'libOpenCL.so.1': 'ocl-icd-libopencl1',
  'libOpenGL.so.0': 'libopengl0',
  'libSM.so.6': 'libsm6',
  'libX11.so.6': 'libx11-6',
  'libXext.so.6': 'libxext6',
  'libXrender.so.1': 'libxrender1',
  'libaio.so.1': 'libaio1',
  'libatomic.so.1': 'libatomic1',
  'libblas.so.3': 'libblas3',
  'libcairo.so.2': 'libcairo2',
  'libcurl.so.4': 'libcurl4',
  'libfontconfig.so.1': 'libfontconfig1',
  'libfreetype.so.6': 'libfreetype6',
  'libgeos_c.so.1': 'libgeos-c1v5',
  'libgfortran.so.5': 'libgfortran5',
  'libgio-2.0.so.0': 'libglib2.0-0',
  'libglib-2.0.so.0': 'libglib2.0-0',
  'libgmodule-2.0.so.0': 'libglib2.0-0',
  'libgobject-2.0.so.0': 'libglib2.0-0',
  'libgomp.so.1': 'libgomp1',
  'libgssapi_krb5.so.2': 'libgssapi-krb5-2',
  'libgthread-2.0.so.0': 'libglib2.0-0',
  'libhdf5_serial.so.103': 'libhdf5-103-1',
  'liblapack.so.3': 'liblapack3',
  'libmagic.so.1': 'libmagic1',
  'libmariadb.so.3': 'libmariadb3',
  'libnuma.so.1': 'libnuma1',
  'libodbc.so.2': 'libodbc2',
  'libopenblas.so.0': 'libopenblas0-pthread',
  'libpango-1.0.so.0': 'libpango-1.0-0',
  'libpangocairo-1.0.so.0': 'libpangocairo-1.0-0',
  'libpangoft2-1.0.so.0': 'libpangoft2-1.0-0',
  'libpq.so.5': 'libpq5',
  'libquadmath.so.0': 'libquadmath0',
  'libsndfile.so.1': 'libsndfile1',
  'libsnappy.so.1': 'libsnappy1v5',
  'libtbb.so.12': 'libtbb12',
  'libusb-1.0.so.0': 'libusb-1.0-0',
  'libxcb.so.1': 'libxcb1',
  'libxml2.so.2': 'libxml2',
  'libxslt.so.1': 'libxslt1.1',
};

/** Packages of the table that bring libraries of other ones, because they depend on them. */
const BROUGHT: Readonly<Record<string, readonly string[]>> = {
  libegl1: ['libx11-6', 'libxcb1'],
  libgfortran5: ['libquadmath0'],
  libgl1: ['libglx0', 'libx11-6', 'libxcb1', 'libxext6'],
  libglx0: ['libx11-6', 'libxcb1', 'libxext6'],
  liblapack3: ['libblas3', 'libgfortran5', 'libquadmath0'],
  'libopenblas0-pthread': ['libblas3', 'libgfortran5', 'liblapack3', 'libquadmath0'],
  libsm6: ['libice6'],
  'libx11-6': ['libxcb1'],
  libxext6: ['libx11-6', 'libxcb1'],
  libxrender1: ['libx11-6', 'libxcb1'],
};

const TABLE_PACKAGES = new Set(Object.values(PACKAGES));

/** The Debian package of a library. Undefined: not in the table. */
export function findLibraryPackage(library: string): string | undefined {
  return readOwn(PACKAGES, library);
}

/** Whether these packages install a library: certainly, certainly not, or nobody here knows. */
export function hasLibrary(packages: readonly string[], library: string): 'yes' | 'no' | 'unknown' {
  const names = packages.map(removeSuffix);
  const all = new Set(names.flatMap((name) => [name, ...(readOwn(BROUGHT, name) ?? [])]));
  const known = findLibraryPackage(library);
  if ((known !== undefined && all.has(known)) || all.has(makeUsualName(library))) return 'yes';
  return names.every((name) => TABLE_PACKAGES.has(name)) ? 'no' : 'unknown';
}

/** Debian 13 renamed libraries for 64-bit times: `libglib2.0-0t64`. The old names still install them. */
function removeSuffix(name: string): string {
  return name.replace(/t64$/, '');
}

/** Debian names the package of a library after it: `libfoo.so.3` → `libfoo3`, `libfoo-1.0.so.0` → `libfoo-1.0-0`. */
function makeUsualName(library: string): string {
  const [stem = '', version = ''] = library.toLowerCase().replaceAll('_', '-').split('.so.');
  return /\d$/.test(stem) ? `${stem}-${version}` : `${stem}${version}`;
}
