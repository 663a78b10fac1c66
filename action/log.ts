import { randomBytes } from 'node:crypto';
import { quieten } from '../schemas/quieten.ts';
import type { Progress } from '../system/progress.ts';

/**
 * Runs work whose words nobody vouches for: until its end the runner takes no line of this step for a command. The word
 * that ends it is random, so that no model or file can say it.
 */
export async function withoutCommands<T>(work: () => Promise<T>): Promise<T> {
  const word = randomBytes(24).toString('hex');
  process.stdout.write(`::stop-commands::${word}\n`);
  try {
    return await work();
  } finally {
    process.stdout.write(`\n::${word}::\n`);
  }
}

/** Progress as lines of the step's log, which command neither a terminal nor the runner. */
export const LOG: Progress = { say: (line) => void process.stdout.write(`${quieten(line).replaceAll('\n', ' ')}\n`) };
