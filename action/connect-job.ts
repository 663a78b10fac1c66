import { connectGitHub, type GitHub } from './github/connect.ts';
import type { Job } from './job.ts';
import { LOG } from './log.ts';

/** Works with GitHub, and says at the end how often it was asked. Without a signal a run that is cancelled can still say so. */
export async function withGitHub<T>(
  { inputs, runner }: Job,
  work: (github: GitHub) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const { apiUrl, repository, job } = runner;
  const github = connectGitHub({
    token: inputs.token,
    apiUrl,
    repository,
    job,
    say: LOG.say,
    ...(signal && { signal }),
  });
  try {
    return await work(github);
  } finally {
    const { requests, repeated, waitedSeconds } = github.calls();
    LOG.say(`Asked GitHub ${requests} times, ${repeated} of them again; waited ${waitedSeconds.toFixed(1)} s for it`);
  }
}
