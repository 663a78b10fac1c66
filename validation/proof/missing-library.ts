const LIBRARY_PACKAGES: Readonly<Record<string, string>> = {
  'libEGL.so.1': 'libegl1',
  'libGL.so.1': 'libgl1',
  'libICE.so.6': 'libice6',
  'libSM.so.6': 'libsm6',
  'libX11.so.6': 'libx11-6',
  'libXext.so.6': 'libxext6',
  'libXrender.so.1': 'libxrender1',
  'libgfortran.so.5': 'libgfortran5',
  'libglib-2.0.so.0': 'libglib2.0-0',
  'libgomp.so.1': 'libgomp1',
  'libgthread-2.0.so.0': 'libglib2.0-0',
  'libodbc.so.2': 'libodbc2',
  'libpq.so.5': 'libpq5',
  'libquadmath.so.0': 'libquadmath0',
  'libsndfile.so.1': 'libsndfile1',
  'libtbb.so.12': 'libtbb12',
  'libxcb.so.1': 'libxcb1',
};

/** `libGL.so.1: cannot open shared object file: …` → `libGL.so.1` */
export function findMissingLibrary(message: string): string | undefined {
  const at = message.indexOf(': cannot open shared object');
  const name =
    message
      .slice(0, Math.max(at, 0))
      .split(/[\s/'"]/)
      .at(-1) ?? '';
  return name.startsWith('lib') && name.includes('.so') ? name : undefined;
}

export function renderLibraryHint(library: string): string {
  const name = LIBRARY_PACKAGES[library];
  return name === undefined ? 'Install the system package that provides it' : `Install it: apt-get install ${name}`;
}
