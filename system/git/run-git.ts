import { makeChildEnvironment, type ProcessResult, runProcess } from '../run-process.ts';

/**
 * A checkout may contain the files of a whole repository below any folder. Git takes none of them for a repository, whose
 * settings would name programs to run.
 */
const SETTINGS = ['safe.bareRepository=explicit', 'core.fsmonitor=false', 'core.hooksPath=/dev/null'].flatMap((s) => [
  '-c',
  s,
]);

interface GitOptions {
  readonly signal?: AbortSignal | undefined;
  readonly limitSeconds?: number;
  /** The whole environment; default: that of this process. */
  readonly env?: NodeJS.ProcessEnv;
}

/** Runs Git in a folder, with English output, literal paths, no pager and no lock on the index. Runs no program. */
export function runGit(
  folder: string,
  args: readonly string[],
  { signal, limitSeconds, env: own }: GitOptions = {},
): Promise<ProcessResult> {
  const { args: all, env } = makeGitCommand(folder, args);
  return runProcess('git', all, {
    env: own ?? env,
    ...(signal && { signal }),
    ...(limitSeconds !== undefined && { limitSeconds }),
  });
}

/** The arguments and the environment of such a run. */
export function makeGitCommand(
  folder: string,
  args: readonly string[],
): { readonly args: readonly string[]; readonly env: NodeJS.ProcessEnv } {
  const env = makeChildEnvironment({ GIT_OPTIONAL_LOCKS: '0', GIT_LITERAL_PATHSPECS: '1', LC_ALL: 'C' });
  return { args: ['-C', folder, ...SETTINGS, '--no-pager', ...args], env };
}
