import { spawn } from 'node:child_process';
import type { PulumiCommand } from '@pulumi/pulumi/automation/index.js';
import type { PulumiEngine } from './find-pulumi.ts';

/** The `pulumi` command ended with another exit code than 0; what it said is in the error. */
export class PulumiFailed extends Error {
  readonly stderr: string;

  constructor(args: readonly string[], { code, stderr }: { readonly code: number | string; readonly stderr: string }) {
    super(`Cannot run "pulumi ${args.join(' ')}": ${describeEnd(code, stderr.trim())}`);
    this.name = 'PulumiFailed';
    this.stderr = stderr;
  }
}

/** Whoever kills an engine needs to know that this breaks nothing. */
function describeEnd(code: number | string, said: string): string {
  const killed = String(code).startsWith('SIG');
  const how = killed ? `it was ended by ${code}; ${GOES_ON}` : `it ended with exit code ${code}`;
  const next = BROKEN_STATE.test(said) ? `. ${PUT_BACK}` : '';
  return said === '' ? how : `${how}: ${said}${next}`;
}

/** What the engine says of a state file that is not JSON. */
const BROKEN_STATE = /failed to load checkpoint|place \d+: (invalid character|unexpected end)/;

/** How to go on when a state file was cut in half or edited. */
export const PUT_BACK =
  'The state of a stack is not whole: put back the one before, which lies beside it as STACK.json.bak, then run the same command again';

/** How to go on after something of ours was killed. */
export const GOES_ON = 'what was complete is kept, and the same command goes on from there';

export interface CommandResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

export interface CommandOptions {
  readonly cwd: string;
  /** Added to this process's environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** Asks the engine, once, to stop at its next safe point. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs `pulumi`. It gets a process group of its own: from a terminal, Ctrl-C would reach it directly and then again from
 * us, and the second one makes it drop what it is doing instead of finishing it.
 */
export function runPulumiCommand(
  engine: PulumiEngine,
  args: readonly string[],
  { cwd, environment, signal }: CommandOptions,
): Promise<CommandResult> {
  return new Promise((done, fail) => {
    const env = { ...process.env, ...environment };
    const child = spawn(engine.command, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    const said = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said.stderr += text));
    const stop = () => child.kill('SIGINT');
    if (signal?.aborted) stop();
    signal?.addEventListener('abort', stop, { once: true });
    child.on('error', (e) => fail(new Error(`Cannot start "${engine.command}": ${e.message}`, { cause: e })));
    child.on('close', (code, endedBy) => {
      signal?.removeEventListener('abort', stop);
      if (code === 0) done({ ...said, code });
      else fail(new PulumiFailed(args, { code: endedBy ?? String(code), stderr: said.stderr }));
    });
  });
}

/**
 * Makes the Automation API run the engine through `runPulumiCommand`. Its own runner loses what a failed command said and
 * stays in our process group. `run` is internal to that API, whose version is pinned in package.json.
 */
export function makeAutomationCommand(engine: PulumiEngine): PulumiCommand {
  const run = (
    args: readonly string[],
    cwd: string,
    environment: Readonly<Record<string, string>>,
    _onOutput: unknown,
    _onError: unknown,
    signal: AbortSignal | undefined,
  ) => {
    const more = { ...environment, PULUMI_AUTOMATION_API: 'true' };
    return runPulumiCommand(engine, [...args, '--non-interactive'], { cwd, environment: more, signal });
  };
  const version = { toString: () => engine.version }; // all that it asks of a version here
  return { command: engine.command, version, run } as unknown as PulumiCommand;
}
