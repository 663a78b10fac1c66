import { connectGitHub, type GitHub } from './github/connect.ts';
import type { Job } from './job.ts';
import { LOG } from './log.ts';

/** Works with GitHub, and says at the end how often it was asked. */
export async function withGitHub<T>({ inputs, runner }: Job, work: (github: GitHub) => Promise<T>): Promise<T> {
  const { apiUrl, repository, job } = runner;
  // Not by the job's signal: a run that is cancelled still has to say so.
  const github = connectGitHub({ token: inputs.token, apiUrl, repository, job, say: LOG.say });
  try {
    return await work(github);
  } finally {
    const { requests, repeated, waitedSeconds } = github.calls();
    LOG.say(`Asked GitHub ${requests} times, ${repeated} of them again; waited ${waitedSeconds.toFixed(1)} s for it`);
  }
}
