import { childEnvironment, type Ran, runProcess } from './run-process.ts';

/** Runs Git in a folder: in one language, without its pager, without a lock on its index, paths taken literally. */
export function runGit(folder: string, args: readonly string[], signal?: AbortSignal): Promise<Ran> {
  const env = childEnvironment({ GIT_OPTIONAL_LOCKS: '0', GIT_LITERAL_PATHSPECS: '1', LC_ALL: 'C' });
  return runProcess('git', ['-C', folder, '--no-pager', ...args], { env, ...(signal && { signal }) });
}
