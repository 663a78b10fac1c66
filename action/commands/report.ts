import type { Job } from '../job.ts';

export function report(job: Job): Promise<void> {
  return Promise.reject(new Error(`Cannot ${job.inputs.command} yet`));
}
