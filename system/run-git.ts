import { makeChildEnvironment, type ProcessResult, runProcess } from './run-process.ts';

/** Runs Git in a folder, with English output, literal paths, no pager and no lock on the index. */
export function runGit(folder: string, args: readonly string[], signal?: AbortSignal): Promise<ProcessResult> {
  const env = makeChildEnvironment({ GIT_OPTIONAL_LOCKS: '0', GIT_LITERAL_PATHSPECS: '1', LC_ALL: 'C' });
  return runProcess('git', ['-C', folder, '--no-pager', ...args], { env, ...(signal && { signal }) });
}
