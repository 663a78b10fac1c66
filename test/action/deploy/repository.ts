import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Without maintenance, for which each commit would start two more processes. */
const SETTINGS = ['user.name=t', 'user.email=t@example.org', 'maintenance.auto=false'].flatMap((s) => ['-c', s]);

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
      git('commit', '--quiet', '--allow-empty', '--message', message);
      return git('rev-parse', 'HEAD');
    },
  };
}
