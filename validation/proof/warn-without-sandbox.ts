import type { Progress } from '../../system/progress.ts';

const state = { warned: false };

/** Says once per process, however many models are proved, that they run with the user's own rights. */
export function warnWithoutSandbox(progress: Progress): void {
  if (state.warned) return;
  state.warned = true;
  progress.say('Proving without a sandbox, as you asked: a model can read and change what you can');
}
