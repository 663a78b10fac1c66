import { randomBytes } from 'node:crypto';
import { sanitizeText } from '../schemas/values/sanitize-text.ts';
import type { Progress } from '../system/progress.ts';

/**
 * Runs work whose output is not trusted: until it ends, the runner treats no line of this step as a command. The word
 * that ends this is random, so that no model or file can print it.
 */
export async function withoutWorkflowCommands<T>(work: () => Promise<T>): Promise<T> {
  const word = randomBytes(24).toString('hex');
  process.stdout.write(`::stop-commands::${word}\n`);
  try {
    return await work();
  } finally {
    process.stdout.write(`\n::${word}::\n`);
  }
}

/** Writes progress as lines of the step's log, without commands for a terminal or the runner. */
export const LOG: Progress = {
  say: (line) => void process.stdout.write(`${sanitizeText(line).replaceAll('\n', ' ')}\n`),
};
