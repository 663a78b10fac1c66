import { warning } from '@actions/core';
import { timed } from '../system/progress.ts';
import { childEnvironment, runProcess } from '../system/run-process.ts';
import { hasBubblewrap } from '../validation/sandbox.ts';
import { LOG } from './log.ts';

const LIMIT_SECONDS = 120;
const INSTALL = ['apt-get', 'install', '--yes', '--quiet', '--no-install-recommends', 'bubblewrap'];
/** Tried one after the other, until models can be shut in. The last: Ubuntu lets only programs that it knows make namespaces. */
const ATTEMPTS = [
  [INSTALL],
  [['apt-get', 'update', '--quiet'], INSTALL],
  [['sysctl', '--quiet', '--write', 'kernel.apparmor_restrict_unprivileged_userns=0']],
];

/**
 * Makes that models are shut in when they are proved. GitHub's own Linux machines have no bubblewrap, are thrown away after
 * the job and let it become root: there it is installed. On any other machine that is its owner's to do, and said.
 */
export async function ensureSandbox(signal: AbortSignal, variables: NodeJS.ProcessEnv = process.env): Promise<void> {
  if (await hasBubblewrap()) return;
  if (variables['RUNNER_ENVIRONMENT'] === 'github-hosted' && variables['RUNNER_OS'] === 'Linux')
    await timed(LOG, 'Installing bubblewrap, to shut models in', () => install(signal));
  if (await hasBubblewrap()) return;
  warning(
    'Models run here without a sandbox and can change what else this job does: install bubblewrap on the runner and let it make user namespaces',
  );
}

async function install(signal: AbortSignal): Promise<void> {
  for (const commands of ATTEMPTS) {
    for (const command of commands) await runAsRoot(command, signal);
    if (await hasBubblewrap()) return;
  }
}

/** What goes wrong is said; the warning at the end is about what it comes to. */
async function runAsRoot(command: readonly string[], signal: AbortSignal): Promise<void> {
  const options = { env: childEnvironment(), limitSeconds: LIMIT_SECONDS, signal };
  const ran = await runProcess('sudo', ['--non-interactive', ...command], options).catch((e: unknown) => {
    signal.throwIfAborted();
    LOG.say(`Cannot run sudo: ${e instanceof Error ? e.message : String(e)}`);
  });
  if (ran && ran.code !== 0) LOG.say(`${command.join(' ')} ended with ${ran.code}: ${ran.stderr.trim()}`);
}
