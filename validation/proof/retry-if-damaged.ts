import type { Progress } from '../../system/progress.ts';
import { discardDamagedVirtualenv } from '../../python/ensure-virtualenv.ts';

export interface Retry<T> {
  /** Of a virtualenv. */
  readonly folder: string;
  readonly hasFailed: (result: T) => boolean;
  /** Makes the virtualenv again. */
  readonly repair: () => Promise<unknown>;
  readonly progress: Progress;
}

/**
 * Runs work in a virtualenv, and again in a repaired one if it fails and files are missing there. They are counted only
 * then, because that takes a tenth of a second.
 */
export async function retryIfDamaged<T>(work: () => Promise<T>, retry: Retry<T>): Promise<T> {
  const result = await work();
  if (!retry.hasFailed(result) || !(await discardDamagedVirtualenv(retry.folder))) return result;
  retry.progress.say(`Files are missing in the virtualenv ${retry.folder}; making it again`);
  await retry.repair();
  return work();
}
