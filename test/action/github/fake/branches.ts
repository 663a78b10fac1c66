import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Refusal } from './refusal.ts';

export interface Commit {
  readonly oid: string;
  readonly headline: string;
  readonly parents: readonly string[];
  /** The files that the commit adds or changes: path → content. */
  readonly files: Readonly<Record<string, string>>;
}

/** The operations on a repository's branches and commits that the fake needs. */
export interface Branches {
  readonly head: (branch: string) => Commit | undefined;
  /** The files of a commit, empty for a commit that is not known: path → id of the content. */
  readonly files: (commit: string) => ReadonlyMap<string, string>;
  readonly read: (oid: string) => string;
  /** The commit where two histories part. */
  readonly mergeBase: (one: string, other: string) => string;
  /** The messages of the commits that a head has and a base has not. */
  readonly messages: (base: string, head: string) => readonly string[];
  readonly commit: (branch: string, commit: Omit<Commit, 'oid'>) => Commit;
}

export interface MemorySeed {
  readonly branches: Readonly<Record<string, string>>;
  readonly contents: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly mergeBases: Readonly<Record<string, string>>;
  readonly messages: Readonly<Record<string, readonly string[]>>;
}

export function makeMemoryBranches({ branches: heads, contents, mergeBases, messages }: MemorySeed): Branches {
  const known = new Map<string, Commit>(
    Object.entries(heads).map(([name, oid]) => [name, { oid, headline: '', parents: [], files: {} }]),
  );
  const texts = new Map(Object.values(contents).flatMap((files) => Object.values(files).map((t) => [makeOid(t), t])));
  return {
    head: (branch) => known.get(branch),
    files: (commit) => new Map(Object.entries(contents[commit] ?? {}).map(([path, text]) => [path, makeOid(text)])),
    read: (oid) => texts.get(oid) ?? '',
    mergeBase: (one, other) => mergeBases[other] ?? one,
    messages: (_, head) => messages[head] ?? [],
    commit: (branch, made) => {
      const commit = { ...made, oid: randomBytes(20).toString('hex') };
      known.set(branch, commit);
      return commit;
    },
  };
}

/** Stands for Git's id of a content: the same content has the same one. */
export function makeOid(content: string): string {
  return createHash('sha1').update(content).digest('hex');
}

/** Opens the branches of a Git repository, bare or not. Its working tree stays unchanged. */
export function openGitBranches(folder: string): Branches {
  const git = (args: readonly string[], input?: string | Buffer, env?: NodeJS.ProcessEnv) =>
    execFileSync('git', ['-C', folder, ...args], {
      encoding: 'utf8',
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
      ...(input !== undefined && { input }),
    }).trim();
  return {
    head: (branch) => {
      try {
        const said = git(['log', '-1', '--format=%H%n%P%n%s', `refs/heads/${branch}`, '--']);
        const [oid = '', parents = '', headline = ''] = said.split('\n');
        return { oid, headline, parents: parents.split(' ').filter(Boolean), files: {} };
      } catch {
        return undefined;
      }
    },
    files: (commit) => {
      const listed = git(['ls-tree', '-r', '-z', '--full-tree', commit]).split('\0').filter(Boolean);
      return new Map(listed.map((line) => [line.slice(line.indexOf('\t') + 1), line.split(/\s/)[2] ?? '']));
    },
    read: (oid) => git(['cat-file', 'blob', oid]),
    mergeBase: (one, other) => {
      try {
        return git(['merge-base', one, other]);
      } catch {
        throw new Refusal(404, 'Not Found'); // of a commit that GitHub does not know
      }
    },
    messages: (base, head) => git(['log', '--reverse', '-z', '--format=%B', `${base}..${head}`]).split('\0'),
    commit: (branch, { headline, parents, files }) => {
      const scratch = mkdtempSync(join(tmpdir(), 'fake-github-'));
      const index = { GIT_INDEX_FILE: join(scratch, 'index') };
      try {
        const [parent = ''] = parents;
        git(['read-tree', parent], undefined, index);
        for (const [path, content] of Object.entries(files)) {
          const blob = git(['hash-object', '-w', '--stdin'], content);
          git(['update-index', '--add', '--cacheinfo', `100644,${blob},${path}`], undefined, index);
        }
        const tree = git(['write-tree'], undefined, index);
        const who = ['-c', 'user.name=github-actions[bot]', '-c', 'user.email=bot@example.org'];
        const oid = git([...who, 'commit-tree', tree, '-p', parent, '-m', headline]);
        git(['update-ref', `refs/heads/${branch}`, oid, parent]);
        return { oid, headline, parents, files };
      } finally {
        rmSync(scratch, { recursive: true, force: true });
      }
    },
  };
}
