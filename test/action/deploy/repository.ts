import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** With the last one, `git commit` prints the whole name of the commit. */
const SETTINGS = ['user.name=t', 'user.email=t@example.org', 'core.abbrev=40'].flatMap((s) => ['-c', s]);

/** A Git repository for tests, in a folder that is there. */
export function makeRepository(folder: string, branch = 'main') {
  const git = (...args: readonly string[]) =>
    execFileSync('git', ['-C', folder, ...SETTINGS, ...args], { encoding: 'utf8', stdio: 'pipe' }).trim();
  git('init', '--quiet', `--initial-branch=${branch}`);
  return {
    git,
    write: (files: Readonly<Record<string, string | undefined>>) => {
      for (const [path, text] of Object.entries(files)) {
        const file = join(folder, path);
        if (text === undefined) {
          rmSync(file);
          continue;
        }
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, text);
      }
    },
    /** Commits all there is; the commit. */
    commit: (message = 'files') => {
      git('add', '--all');
      return readCommit(git('commit', '--allow-empty', '--message', message));
    },
  };
}

/** Reads the name of the commit that `git commit` prints with `core.abbrev=40`, which saves a process. */
export function readCommit(printed: string): string {
  const [, commit] = /^\[[^\n]*? ([0-9a-f]{40})\] /.exec(printed) ?? [];
  if (commit === undefined) throw new Error(`Cannot read the commit: git printed ${JSON.stringify(printed)}`);
  return commit;
}
