import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { GitCommit } from '../../schemas/lock/git-commit.ts';
import { isPackageVersion } from '../../schemas/lock/locked-values.ts';
import { runGit } from '../../system/git/run-git.ts';
import type { PythonOptions } from '../find-uv.ts';
import { VirtualenvError } from '../virtualenv-error.ts';

/** The files of a commit. */
export interface FetchedCommit {
  /** A tar archive with one folder. */
  readonly file: string;
  /** The version that a tag of the commit names: `1.2.0`. */
  readonly version: string | undefined;
}

const LIMIT_SECONDS = 300;
/** What a request needs of this machine. Neither settings nor credentials: an address in a model must not use them. */
const VARIABLES = ['PATH', 'TMPDIR', 'GIT_SSL_CAINFO', 'GIT_SSL_CAPATH', 'SSL_CERT_FILE', 'SSL_CERT_DIR'];
const PROXIES = ['HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY'].flatMap((name) => [name, name.toLowerCase()]);
/** Git would leave out or change files of an archive where the repository says so; pip installs a clone. */
const ATTRIBUTES = '* !export-ignore !export-subst\n';
const LFS_POINTER = '^version https://git-lfs.github.com/spec/v1$';

/**
 * Fetches a commit into an archive in a folder. Git checks that the files have its hash. Runs nothing of the repository.
 * Throws a VirtualenvError.
 */
export async function fetchCommit(
  { address, commit, subdirectory }: GitCommit,
  { folder, signal }: { readonly folder: string } & Pick<PythonOptions, 'signal'>,
): Promise<FetchedCommit> {
  const { host, pathname } = new URL(address);
  const what = `${host}${pathname}`;
  const repository = `${folder}.git`;
  const git = async (args: readonly string[], codes: readonly number[] = [0]) => {
    const run = await runGit(repository, args, {
      env: makeEnvironment(repository, folder),
      limitSeconds: LIMIT_SECONDS,
      signal,
    });
    if (!codes.includes(run.code)) throw explainFetch(what, commit, run.timedOut ? 'timed out' : run.stderr);
    return run.stdout;
  };
  try {
    await mkdir(repository, { recursive: true });
    const format = commit.length === 64 ? 'sha256' : 'sha1';
    await git(['init', '--quiet', '--bare', '--template=', `--object-format=${format}`, repository]);
    const fetch = ['-c', 'transfer.fsckObjects=true', 'fetch', '--quiet', '--no-tags', '--no-recurse-submodules'];
    await git([...fetch, '--depth', '1', address, commit]);
    const tree = subdirectory === undefined ? commit : `${commit}:${subdirectory}`;
    await refuseForeignFiles(tree, what, git, subdirectory);
    await mkdir(join(repository, 'info'), { recursive: true });
    await writeFile(join(repository, 'info', 'attributes'), ATTRIBUTES);
    const file = join(folder, 'commit.tar');
    await git(['archive', '--format=tar', '--prefix=source/', `--output=${file}`, tree]);
    return { file, version: findTaggedVersion(await git(['ls-remote', '--tags', address]), commit) };
  } finally {
    await rm(repository, { recursive: true, force: true });
  }
}

function makeEnvironment(repository: string, home: string): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => [...VARIABLES, ...PROXIES].includes(name));
  return {
    ...Object.fromEntries(kept),
    ...{ HOME: home, XDG_CONFIG_HOME: home, GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null' },
    ...{ GIT_DIR: repository, GIT_TERMINAL_PROMPT: '0', GIT_ALLOW_PROTOCOL: 'https', LC_ALL: 'C' },
  };
}

/** Git fetches neither submodules nor the files of Git LFS here, and the wheel would lack them. */
async function refuseForeignFiles(
  tree: string,
  what: string,
  git: (args: readonly string[], codes?: readonly number[]) => Promise<string>,
  subdirectory: string | undefined,
): Promise<void> {
  const entries = (await git(['ls-tree', '-r', '--full-tree', tree])).split('\n');
  const submodule = entries.find((line) => line.startsWith('160000 '));
  const [, path] = submodule?.split('\t') ?? [];
  if (path !== undefined) throw makeError(what, `its commit has a submodule, ${path}`);
  const [pointer] = (await git(['grep', '--name-only', '-I', '-e', LFS_POINTER, tree], [0, 1])) // 1: no such file
    .split('\n')
    .filter(Boolean);
  if (pointer !== undefined)
    throw makeError(what, `Git LFS has a file of its commit, ${pointer.slice(tree.length + 1)}`);
  if (entries.every((line) => line === '')) throw makeError(what, `its commit has no files in ${subdirectory ?? 'it'}`);
}

/** A tag may be moved, so the version is part of the lock. */
function findTaggedVersion(list: string, commit: string): string | undefined {
  const tags = list.split('\n').flatMap((line) => {
    const [hash, name = ''] = line.split('\t');
    return hash === commit ? name.replace(/^refs\/tags\//, '').replace(/\^\{\}$/, '') : [];
  });
  return tags.map((tag) => tag.replace(/^(?:[A-Za-z][\w.]*[-_/])?v?(?=\d)/, '')).find(isPackageVersion);
}

const BUILD_ELSEWHERE =
  'Or build the wheel where the model is trained (pip wheel --no-deps), and log the model with that file in code_paths and the requirement code/FILE.whl';

function makeError(what: string, why: string, hint?: string): VirtualenvError {
  const message = `Cannot fetch ${what}: ${why}`;
  return new VirtualenvError('install-failed', message, {
    hint: hint === undefined ? BUILD_ELSEWHERE.replace(/^Or b/, 'B') : `${hint}. ${BUILD_ELSEWHERE}`,
  });
}

/** Never repeats what the server says. */
function explainFetch(what: string, commit: string, stderr: string): VirtualenvError {
  const fails = (why: string, hint?: string) => makeError(what, why, hint);
  if (/could not read Username|Authentication failed|terminal prompts disabled|error: 40[13]/i.test(stderr))
    return fails('it does not exist, or needs a login, and Davit sends none to an address that a model names');
  if (/not our ref|couldn't find remote ref|unadvertised object|not a tree object|did not send/i.test(stderr))
    return fails(
      `it has no commit ${commit}, or does not give it out`,
      'Check the hash: git ls-remote shows those of branches and tags',
    );
  if (/not a valid object name|does not exist in|Not a valid/i.test(stderr))
    return fails('its commit has no such subdirectory', 'Check subdirectory=');
  if (/\bnot found\b|error: 404/i.test(stderr)) return fails('there is no such repository', 'Check the address');
  if (/\bnot (?:allowed|supported)\b/i.test(stderr)) return fails('it leads to an address without https');
  return fails(
    /timed out/.test(stderr) ? 'it does not answer in time' : 'it cannot be reached',
    'Check the address and the network, and run the same command again',
  );
}
