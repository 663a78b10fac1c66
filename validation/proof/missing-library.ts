import { findLibraryPackage } from '../libraries/library-packages.ts';

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
  const name = findLibraryPackage(library);
  const install =
    name === undefined ? 'Install the system package that provides it' : `Install it: apt-get install ${name}`;
  return `${install}. On Kubernetes, also name that package in images.packages of the environment`;
}
