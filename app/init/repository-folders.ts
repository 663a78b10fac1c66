import { join } from 'node:path';
import { runGit } from '../../system/git/run-git.ts';

/** The root of the repository that has the project in the folder `project`. */
export function findRepositoryRoot(root: string, project: string): string {
  return project === '' ? root : join(root, ...project.split('/').map(() => '..'));
}

/** The project's folder in its Git repository, with `/`; empty: it is the repository, or there is none. */
export async function findProjectInRepository(root: string): Promise<string> {
  const ran = await runGit(root, ['rev-parse', '--show-prefix']).catch(() => undefined);
  return ran?.code === 0 ? ran.stdout.trim().replace(/\/$/, '') : '';
}

/** Branches from which most repositories deploy. */
const USUAL_BRANCHES = ['main', 'master'];

/**
 * The branch that `origin` has by default, else the usual one that exists, at `origin` or here, else the current one, which
 * can be that of a change. Else main.
 */
export async function findDefaultBranch(folder: string): Promise<string> {
  const remote = await runGit(folder, ['symbolic-ref', '--short', 'refs/remotes/origin/HEAD']).catch(() => undefined);
  if (remote?.code === 0) return remote.stdout.trim().replace(/^origin\//, '');
  for (const branch of USUAL_BRANCHES)
    for (const ref of [`refs/remotes/origin/${branch}`, `refs/heads/${branch}`]) {
      const found = await runGit(folder, ['rev-parse', '--verify', '--quiet', ref]).catch(() => undefined);
      if (found?.code === 0) return branch;
    }
  const own = await runGit(folder, ['symbolic-ref', '--short', 'HEAD']).catch(() => undefined);
  return own?.code === 0 && own.stdout.trim() !== '' ? own.stdout.trim() : 'main';
}
