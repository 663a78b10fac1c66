import type { Report } from '../schemas/report/report.ts';
import { runGit } from '../system/git/run-git.ts';
import { COMPARED_FILES } from './github/compare.ts';
import type { Job } from './job.ts';

/**
 * Whether the job preview has to begin. Without a changed endpoint there is nothing to preview. The report believes
 * that only where GitHub lists all changed files, so a change of more files is previewed in any case.
 */
export async function needsPreview({ endpoints, base }: Report, { runner, signal }: Job): Promise<boolean> {
  if (endpoints.length > 0 || base === null) return true;
  const diff = ['diff', '--name-only', '-z', '--no-renames', '--no-ext-diff', base, 'HEAD', '--'];
  const { code, stdout } = await runGit(runner.workspace, diff, { signal });
  return code !== 0 || stdout.split('\0').length > COMPARED_FILES;
}
