import type { Progress } from '../../system/progress.ts';

const said = new Set<string>();

/** Says once per process, however many models are proved, that they run with the user's own rights. */
export function warnWithoutSandbox(progress: Progress): void {
  sayOnce(progress, 'Proving without a sandbox, as you asked: a model can read and change what you can');
}

/** Says once per process that services were named for nothing. */
export function warnOpenNetwork(progress: Progress): void {
  sayOnce(progress, 'Without a sandbox, a model has the whole network of this machine, whatever services are named');
}

function sayOnce(progress: Progress, line: string): void {
  if (said.has(line)) return;
  said.add(line);
  progress.say(line);
}
