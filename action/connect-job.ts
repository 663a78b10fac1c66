import { connectGitHub, type GitHub } from './github/connect.ts';
import type { Job } from './job.ts';
import { LOG } from './log.ts';
import { makeProjectPrefix } from './job-project.ts';

/**
 * Runs work with GitHub's API and logs the number of requests. Without a signal, a cancelled run can still send
 * requests.
 */
export async function withGitHub<T>(
  context: Job,
  work: (github: GitHub) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const github = connectToRepository(context, context.inputs.token, signal);
  try {
    return await work(github);
  } finally {
    const { requests, repeated, waitedSeconds } = github.calls();
    LOG.say(
      `Sent ${requests} requests to GitHub, ${repeated} of them retries; waited ${waitedSeconds.toFixed(1)} s between retries`,
    );
  }
}

/** GitHub's API for the job's repository, with a token. */
export function connectToRepository(context: Job, token: string, signal?: AbortSignal): GitHub {
  const { apiUrl, repository, job } = context.runner;
  return connectGitHub({
    ...{ token, apiUrl, repository, job },
    project: makeProjectPrefix(context),
    say: LOG.say,
    ...(signal && { signal }),
  });
}
