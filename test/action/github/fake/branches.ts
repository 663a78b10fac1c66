import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Commit {
  readonly oid: string;
  readonly headline: string;
  readonly parents: readonly string[];
  /** The files that the commit adds or changes: path → content. */
  readonly files: Readonly<Record<string, string>>;
}

/** The operations on a repository's branches that GitHub's `createCommitOnBranch` needs. */
export interface Branches {
  readonly head: (branch: string) => Commit | undefined;
  readonly commit: (branch: string, commit: Omit<Commit, 'oid'>) => Commit;
}

export function makeMemoryBranches(heads: Readonly<Record<string, string>>): Branches {
  const known = new Map<string, Commit>(
    Object.entries(heads).map(([name, oid]) => [name, { oid, headline: '', parents: [], files: {} }]),
  );
  return {
    head: (branch) => known.get(branch),
    commit: (branch, made) => {
      const commit = { ...made, oid: randomBytes(20).toString('hex') };
      known.set(branch, commit);
      return commit;
    },
  };
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
