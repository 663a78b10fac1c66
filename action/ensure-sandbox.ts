import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withProgress } from '../system/progress.ts';
import { makeChildEnvironment, runProcess } from '../system/run-process.ts';
import { findSandbox } from '../sandbox/sandbox.ts';
import { LOG } from './log.ts';
import { readErrorMessage } from '../schemas/values/read-error-message.ts';

const LIMIT_SECONDS = 120;
const INSTALL_COMMAND = ['apt-get', 'install', '--yes', '--quiet', '--no-install-recommends', 'bubblewrap'];
/**
 * Tried in turn until bubblewrap works. The last one is needed because Ubuntu lets only known programs make user
 * namespaces.
 */
const INSTALL_STEPS = [
  [INSTALL_COMMAND],
  [['apt-get', 'update', '--quiet'], INSTALL_COMMAND],
  [['sysctl', '--quiet', '--write', 'kernel.apparmor_restrict_unprivileged_userns=0']],
];

/**
 * Makes sure that models are proved in a sandbox. GitHub's own Linux runners have no bubblewrap, but they are deleted
 * after the job and allow root, so it is installed there. On any other machine its owner has to install it; until then
 * the validation refuses to run models and says why.
 */
export async function ensureSandbox(signal: AbortSignal, variables: NodeJS.ProcessEnv = process.env): Promise<void> {
  if (await hasSandbox()) return;
  if (variables['RUNNER_ENVIRONMENT'] === 'github-hosted' && variables['RUNNER_OS'] === 'Linux')
    await withProgress(LOG, 'Installing bubblewrap to sandbox models', () => install(signal));
}

/** The same for a job that runs no model, if a lock says to build a wheel: that runs code of a package. */
export async function ensureSandboxForBuilds(root: string, signal: AbortSignal): Promise<void> {
  const folder = join(root, 'endpoints');
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.lock'));
  const locks = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8').catch(() => '')));
  if (locks.some((text) => /^ +built:$/m.test(text))) await ensureSandbox(signal);
}

async function hasSandbox(): Promise<boolean> {
  return !('why' in (await findSandbox()));
}

async function install(signal: AbortSignal): Promise<void> {
  for (const commands of INSTALL_STEPS) {
    for (const command of commands) await runAsRoot(command, signal);
    if (await hasSandbox()) return;
  }
}

/** Runs a command as root. A failure is only logged, because the validation reports the result. */
async function runAsRoot(command: readonly string[], signal: AbortSignal): Promise<void> {
  const options = { env: makeChildEnvironment(), limitSeconds: LIMIT_SECONDS, signal };
  const ran = await runProcess('sudo', ['--non-interactive', ...command], options).catch((e: unknown) => {
    signal.throwIfAborted();
    LOG.say(`Cannot run sudo: ${readErrorMessage(e)}`);
  });
  if (ran && ran.code !== 0) LOG.say(`${command.join(' ')} ended with ${ran.code}: ${ran.stderr.trim()}`);
}
