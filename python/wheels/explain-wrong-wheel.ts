import { compareVersions, parseVersion } from '../compare-versions.ts';
import { normalizePackageName } from '../normalize-package-name.ts';

interface NamedPackage {
  /** Normalized. */
  readonly name: string;
  readonly version: string;
}

/**
 * Why a built wheel is not the wheel of a package. The code of the package writes the name and the version of its wheel,
 * and the advisories of the package are those of the version in the lock.
 */
export function explainWrongWheel(file: string, wanted: NamedPackage): string | undefined {
  const [name = '', version = ''] = file.replace(/\.whl$/, '').split('-');
  return isPackage(name, version, wanted) ? undefined : `its build has made ${file}`;
}

/** Why METADATA of a built wheel is not that of a package. */
export function explainWrongMetadata(text: string, wanted: NamedPackage): string | undefined {
  const [head = ''] = text.replace(/\r\n?/g, '\n').split('\n\n');
  const [names, versions] = ['name', 'version'].map((field) => readHeaders(head, field));
  const isRight = names?.length === 1 && versions?.length === 1 && isPackage(names[0] ?? '', versions[0] ?? '', wanted);
  return isRight ? undefined : 'the METADATA of its wheel names another package or version';
}

function readHeaders(head: string, field: string): readonly string[] {
  const lines = head.split('\n').filter((line) => line.toLowerCase().startsWith(`${field}:`));
  return lines.map((line) => line.slice(field.length + 1).trim());
}

function isPackage(name: string, version: string, wanted: NamedPackage): boolean {
  return normalizePackageName(name) === wanted.name && isSameVersion(version, wanted.version);
}

/** A build may add a local part (`2.1.0+cpu`), which names a build of the same source. */
function isSameVersion(text: string, wanted: string): boolean {
  const [a, b] = [parseVersion(text), parseVersion(wanted)];
  const local = readLocalPart(wanted);
  return a !== undefined && b !== undefined && compareVersions(a, b) === 0 && ['', readLocalPart(text)].includes(local);
}

function readLocalPart(version: string): string {
  return (version.split('+')[1] ?? '').toLowerCase().replaceAll(/[-_]/g, '.');
}
