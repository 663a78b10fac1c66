import { setFailed, setSecret } from '@actions/core';
import { listMessages } from '../app/catch-outage.ts';
import { readInputs } from './inputs.ts';
import { prepareModelCredentials } from './fetch/model-credentials.ts';
import type { Job } from './job.ts';
import { readRunner } from './runner.ts';
import { abortOnSignals } from './abort-on-signals.ts';

/** Runs the action. Errors in the user's files are reported; anything that is thrown fails the run. */
export async function main(): Promise<void> {
  try {
    await runCommand();
  } catch (e) {
    setFailed(listMessages(e).join('\nbecause: '));
  }
}

async function runCommand(): Promise<void> {
  const inputs = readInputs();
  for (const token of [inputs.token, inputs.commitToken]) if (token) setSecret(token);
  const { signal, release } = abortOnSignals();
  try {
    await run({ inputs, runner: readRunner(), signal });
  } finally {
    release();
  }
}

/** Loads only the command that runs. */
async function run(job: Job): Promise<void> {
  switch (job.inputs.command) {
    case 'caches':
      return (await import('./commands/caches.ts')).setCacheOutputs(job);
    case 'fetch':
      return (await import('./commands/fetch.ts')).fetchModels(job);
    case 'validate':
      return (await import('./commands/validate.ts')).validate(job);
    case 'preview':
      return (await import('./commands/preview.ts')).preview(job);
    case 'report':
      return (await import('./commands/report.ts')).report(job);
    case 'queue':
      return (await import('./commands/queue.ts')).queue(job);
    case 'outdated':
      return (await import('./commands/outdated.ts')).outdated(job);
    case 'due':
      return (await import('./commands/due.ts')).due(job);
    case 'images':
      prepareModelCredentials();
      return (await import('./commands/images.ts')).images(job);
    case 'deploy':
      prepareModelCredentials();
      return (await import('./commands/deploy.ts')).deploy(job);
    case 'drift':
      return (await import('./commands/drift.ts')).drift(job);
    case 'destroy':
      return (await import('./commands/destroy.ts')).destroy(job);
  }
}
