import { type ProcessOptions, runProcess } from '../system/run-process.ts';

/**
 * Runs a program and returns its standard output; throws its last lines when it fails. `what`: `set up the network`.
 */
export async function runChecked(
  what: string,
  [program = '', ...args]: readonly string[],
  options: ProcessOptions = {},
): Promise<string> {
  const ran = await runProcess(program, args, options);
  if (ran.code === 0) return ran.stdout;
  const words = (ran.stderr.trim() || ran.stdout.trim()).split('\n').slice(-5).join('; ');
  const why = ran.timedOut ? `${program} took longer than ${options.limitSeconds ?? 0} s` : words;
  throw new Error(`Cannot ${what}: ${why || `${program} ended with ${ran.code}`}`);
}
