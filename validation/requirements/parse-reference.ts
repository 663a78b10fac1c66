import { normalizePackageName } from '../../python/normalize-package-name.ts';

/** A requirement without a name of its own: an address, a repository, or a path. */
interface Reference {
  /** The package, if the text has its name. Normalised. */
  readonly name: string | undefined;
  readonly source: string;
  readonly marker: string | undefined;
}

const REPOSITORY = /^(?:git|hg|svn|bzr)\+/i;
const ADDRESS = /^[a-z][a-z0-9+.-]+:/i;
/** `.`, `./x`, `/x`, `~/x`, `C:\x`, `\\server\x` */
const PATH = /^(?:\.{1,2}(?:[\\/]|$)|~?[\\/]|[A-Za-z]:[\\/])/;
const ARCHIVE = /\.(?:whl|egg|zip|tgz|tar(?:\.(?:gz|bz2|xz))?)$/i;
const PLAIN_FILE = /^[^\s@=<>;]+$/;

/** Parses what pip takes in place of a name. Returns undefined if the text begins with a name. */
export function parseReference(text: string): Reference | undefined {
  const [first = '', ...rest] = text.split(/\s;/);
  const source = first.trim();
  if (!isReference(source)) return undefined;
  const marker = rest.join(' ;').trim();
  return { name: nameReference(source), source, marker: marker === '' ? undefined : marker };
}

function isReference(text: string): boolean {
  if (REPOSITORY.test(text) || ADDRESS.test(text) || PATH.test(text)) return true;
  const [file = ''] = text.split('#');
  return PLAIN_FILE.test(text) && (ARCHIVE.test(file) || file.includes('/'));
}

export function isRepository(source: string): boolean {
  return REPOSITORY.test(source);
}

/** `code/helper-1.0.tar.gz`, but no wheel. */
export function isSourceArchive(source: string): boolean {
  const file = removeFragment(source);
  return ARCHIVE.test(file) && !file.toLowerCase().endsWith('.whl');
}

/** Finds the package in `#egg=NAME`, in the name of a file, or in that of a repository or folder. */
function nameReference(source: string): string | undefined {
  const egg = /[#&]egg=([A-Za-z0-9._-]+)/.exec(source)?.[1];
  if (egg !== undefined) return normalizePackageName(egg);
  const parts = removeFragment(source).split(/[\\/]/).filter(Boolean);
  const last = parts.at(-1) ?? '';
  if (isRepository(source)) return toName((last.split('@')[0] ?? '').replace(/\.git$/, ''));
  const archive = parts.indexOf('archive'); // https://github.com/OWNER/NAME/archive/main.zip
  if (ARCHIVE.test(last) && archive > 0 && !parseFileVersion(source)) return toName(parts[archive - 1] ?? '');
  return toName(last.replace(ARCHIVE, '').split(/-v?(?=\d)/)[0] ?? '');
}

/** `numpy-1.22.3-cp39-cp39-linux_x86_64.whl` → `1.22.3` */
export function parseFileVersion(source: string): string | undefined {
  const last = removeFragment(source).split(/[\\/]/).at(-1) ?? '';
  if (!ARCHIVE.test(last)) return undefined;
  return /-v?(\d[^-]*)/.exec(decodeFile(last.replace(ARCHIVE, '')))?.[1];
}

function decodeFile(text: string): string {
  return text.replaceAll(/%2b/gi, '+');
}

function removeFragment(source: string): string {
  return source.split(/[?#]/)[0] ?? '';
}

function toName(text: string): string | undefined {
  return /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/.test(text) ? normalizePackageName(text) : undefined;
}
