import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until something is true; fails after five seconds. */
export async function until(isTrue: () => boolean | Promise<boolean>, milliseconds = 5000): Promise<void> {
  const end = Date.now() + milliseconds;
  while (!(await isTrue())) {
    if (Date.now() > end) throw new Error(`Cannot wait longer for: ${isTrue.toString()}`);
    await sleep(5);
  }
}
