import { spawn } from 'node:child_process';
import type { PulumiCommand } from '@pulumi/pulumi/automation/index.js';
import { waitForChild } from '../system/wait-for-child.ts';
import type { PulumiEngine } from './install/pulumi-source.ts';

/** Names the address of the program, in place of a language host that the engine starts. */
const CLIENT_OPTION = '--client=';

/** The `pulumi` command ended with a non-zero exit code; the message includes its output. */
export class PulumiFailed extends Error {
  readonly stderr: string;

  constructor(args: readonly string[], { code, stderr }: { readonly code: number | string; readonly stderr: string }) {
    const shown = args.filter((arg) => !arg.startsWith(CLIENT_OPTION)); // nobody listens there any more
    super(`Cannot run "pulumi ${shown.join(' ')}": ${describeEnd(code, stderr.trim())}`);
    this.name = 'PulumiFailed';
    this.stderr = stderr;
  }
}

/** Tells the user who killed the engine that nothing is broken. */
function describeEnd(code: number | string, said: string): string {
  const killed = String(code).startsWith('SIG');
  const how = killed ? `it was ended by ${code}; ${RESUME_HINT}` : `it ended with exit code ${code}`;
  const next = BROKEN_STATE.test(said) ? `. ${RESTORE_HINT}` : '';
  return said === '' ? how : `${how}: ${said}${next}`;
}

/** The engine's messages about a state file that is not JSON. */
const BROKEN_STATE = /failed to load checkpoint|place \d+: (invalid character|unexpected end)/;

/** What to do after a state file was truncated or edited. */
export const RESTORE_HINT =
  'The state file of a stack is damaged: restore the previous one, STACK.json.bak in the same folder, then run the same command again';

/** What to do after one of our processes was killed. */
export const RESUME_HINT = 'completed changes are kept, and the same command continues from there';

export interface CommandResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

export interface CommandOptions {
  readonly cwd: string;
  /** Added to this process's environment. */
  readonly environment: Readonly<Record<string, string>>;
  /**
   * Called with the engine's process id when it starts; the function that it returns is called when the engine has
   * ended.
   */
  readonly onStart?: (pid: number | undefined) => Promise<() => Promise<void>>;
  /** When it aborts, the engine is asked once to stop at its next safe point. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs `pulumi` in a process group of its own. Otherwise Ctrl-C in a terminal would reach it twice, directly and
 * through us, and the second signal makes it abort its work instead of finishing it.
 */
export function runPulumiCommand(
  engine: PulumiEngine,
  args: readonly string[],
  { cwd, environment, signal, onStart }: CommandOptions,
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
    // Without this record nobody knows later whether the lock's holder still runs.
    const noted = onStart?.(child.pid).catch(() => undefined);
    const ended = waitForChild(child).finally(async () => (await noted)?.());
    ended.then(({ code, signal: endedBy }) => {
      signal?.removeEventListener('abort', stop);
      if (code === 0) done({ ...said, code });
      else fail(new PulumiFailed(args, { code: endedBy ?? String(code), stderr: said.stderr }));
    }, fail);
  });
}

/** The commands that run the program. The API runs others in between, such as `stack rm`. */
const PROGRAM_COMMANDS: ReadonlySet<string> = new Set(['destroy', 'preview', 'refresh', 'up']);

export interface AutomationCommandOptions extends Pick<CommandOptions, 'onStart'> {
  /** The address of the program, where it runs already; undefined: the engine starts it. */
  readonly program: string | undefined;
}

/**
 * Makes the Automation API run the engine through `runPulumiCommand`. The API's own runner loses the output of a failed
 * command and stays in our process group. `run` is internal to that API, whose version is pinned in package.json.
 */
export function makeAutomationCommand(
  engine: PulumiEngine,
  { program, onStart }: AutomationCommandOptions,
): PulumiCommand {
  const run = (
    args: readonly string[],
    cwd: string,
    environment: Readonly<Record<string, string>>,
    _onOutput: unknown,
    _onError: unknown,
    signal: AbortSignal | undefined,
  ) => {
    const more = { ...environment, PULUMI_AUTOMATION_API: 'true' };
    const usesProgram = program !== undefined && PROGRAM_COMMANDS.has(args[0] ?? '');
    const client = usesProgram ? [`${CLIENT_OPTION}${program}`] : [];
    return runPulumiCommand(engine, [...args, ...client, '--non-interactive'], {
      cwd,
      environment: more,
      signal,
      ...(onStart && { onStart }),
    });
  };
  const version = { toString: () => engine.version }; // the API uses nothing else of the version here
  return { command: engine.command, version, run } as unknown as PulumiCommand;
}
