import { makeTextSchema } from '../values/text-shape.ts';

/** A commit of a Git repository, which anybody can fetch with https. */
export interface GitCommit {
  /** `https://github.com/OWNER/NAME.git` */
  readonly address: string;
  /** The whole hash, in lowercase. */
  readonly commit: string;
  /** The folder of the package. Undefined: the root of the repository. */
  readonly subdirectory: string | undefined;
}

/** Folders whose names have no other characters, and do not begin with a dot. */
const FOLDER = /^[A-Za-z0-9_-][A-Za-z0-9._-]*(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/;
const FORM = /^git\+(https:\/\/[^\s\p{Cc}\p{Cf}\\$?#]+)@([0-9a-f]{40}|[0-9a-f]{64})(?:#(.*))?$/iu;

/** Parses `git+https://HOST/PATH@COMMIT#egg=NAME&subdirectory=FOLDER`. Undefined: it is another address, or has a login. */
export function parseGitCommit(text: string): GitCommit | undefined {
  const [, address = '', commit = '', fragment = ''] = FORM.exec(text) ?? [];
  if (!URL.canParse(address)) return undefined;
  const { username, password, pathname } = new URL(address);
  if (username !== '' || password !== '' || pathname === '/') return undefined;
  const subdirectory = new URLSearchParams(fragment).get('subdirectory') ?? undefined;
  if (subdirectory !== undefined && !FOLDER.test(subdirectory)) return undefined;
  return { address, commit: commit.toLowerCase(), subdirectory };
}

/** What a lock has: one spelling. */
export const gitCommit = makeTextSchema('expected git+https://HOST/PATH@COMMIT', (text) => {
  const parsed = parseGitCommit(text);
  return parsed && renderGitCommit(parsed) === text ? undefined : { message: 'expected git+https://HOST/PATH@COMMIT' };
});

export function renderGitCommit({ address, commit, subdirectory }: GitCommit): string {
  return `git+${address}@${commit}${subdirectory === undefined ? '' : `#subdirectory=${subdirectory}`}`;
}
