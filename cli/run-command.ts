import { constants } from 'node:os';
import { hasErrors } from '../schemas/diagnostic.ts';
import { readVersion } from '../system/code.ts';
import { type Command, type Outcome, OUTPUT_FORMATS, type OutputFormat, UsageError } from './command.ts';
import { COMMANDS } from './commands.ts';
import type { Progress } from '../system/progress.ts';
import { explainUnknownVerb } from './explain-unknown-verb.ts';
import { findProjectRoot } from './find-project-root.ts';
import { renderHelp, renderOverview } from './help.ts';
import { oneOf, type Parsed, parseArguments } from './parse-arguments.ts';
import { printError, printOutcome, stderrProgress } from './print.ts';
import { readOwn } from '../schemas/values/read-own.ts';

const EXIT = { fine: 0, wrong: 1, usage: 2, ours: 3 } as const;

/** Runs one command line, prints everything and returns its exit code. */
export async function runCommand(argv: readonly string[]): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    const command = name === 'help' ? await readOwn(COMMANDS, rest[0] ?? '')?.() : undefined;
    process.stdout.write(command ? renderHelp(rest[0] ?? '', command) : renderOverview(await loadAll()));
    return name === undefined ? EXIT.usage : EXIT.fine;
  }
  if (name === '--version' || name === '-V') {
    process.stdout.write(`davit ${readVersion()}\n`);
    return EXIT.fine;
  }
  const command = await readOwn(COMMANDS, name)?.();
  if (command) return runVerb(name, command, rest);
  await printError(new UsageError(explainUnknownVerb(name, Object.keys(COMMANDS))), {
    ...describeOutput(argv),
    command: undefined,
  });
  return EXIT.usage;
}

/** Runs one verb with the arguments after it, and returns its exit code. */
export async function runVerb(name: string, command: Command, argv: readonly string[]): Promise<number> {
  // When the pipe or terminal is closed, the work still ends at a safe point with its own exit code.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  try {
    const parsed = parseArguments(command, argv);
    if (!parsed.options['help']) return await runParsed(name, command, parsed);
    process.stdout.write(renderHelp(name, command));
    return EXIT.fine;
  } catch (e) {
    await printError(e, { ...describeOutput(argv), command: name });
    return e instanceof UsageError ? EXIT.usage : EXIT.ours;
  }
}

/** Before the work begins, where the same error would look like an outage of each endpoint. */
async function refuseWrongVariables(): Promise<void> {
  const { resolvePolicy } = await import('../validation/policy.ts');
  try {
    resolvePolicy();
  } catch (e) {
    throw new UsageError(e instanceof Error ? e.message : String(e), { cause: e });
  }
}

async function loadAll(): Promise<Readonly<Record<string, Command>>> {
  const loaded = Object.entries(COMMANDS).map(async ([name, load]) => [name, await load()] as const);
  return Object.fromEntries(await Promise.all(loaded));
}

async function runParsed(name: string, command: Command, { args, options }: Parsed): Promise<number> {
  const how = { folders: listFolders(options), format: readFormat(options), command: name };
  const stop = new AbortController();
  const release = abortOnSignals(stop);
  if (command.endsAtOnce === true)
    stop.signal.addEventListener('abort', () => {
      const stopped = new Error('Stopped before there was an answer; nothing was changed');
      void printError(stopped, how).finally(() => process.exit(exitCodeOf(stop.signal)));
    });
  try {
    const context = {
      args,
      options,
      get root() {
        return findProjectRoot(process.cwd(), options);
      },
      cwd: process.cwd(),
      progress: stderrProgress(options['quiet'] === true),
      signal: stop.signal,
    };
    if (command.readsPolicy === true) await refuseWrongVariables();
    const outcome: Outcome = await command.run(context);
    await printOutcome(outcome, how);
    if (command.fillsCache === true) await pruneCache(context.progress);
    if (outcome.outage) return EXIT.ours;
    return hasErrors(outcome.diagnostics) || outcome.failed ? EXIT.wrong : EXIT.fine;
  } catch (e) {
    if (!stop.signal.aborted) throw e;
    await printError(new Error('Stopped: completed changes are kept, and the same command continues from there'), how);
    return exitCodeOf(stop.signal);
  } finally {
    release();
  }
}

/** Loads what only this needs. */
async function pruneCache(progress: Progress): Promise<void> {
  const { keepCacheBelowLimit } = await import('../app/cache/prune-cache.ts');
  await keepCacheBelowLimit((line) => progress.say(line));
}

/** How to print before the options are understood: as far as they can be recognised. */
function describeOutput(argv: readonly string[]) {
  const named = argv.flatMap((a, i) =>
    a === '--format' ? [argv[i + 1]] : a.startsWith('--format=') ? [a.slice(9)] : [],
  );
  const format = OUTPUT_FORMATS.find((f) => f === named[0]) ?? (argv.includes('--json') ? 'json' : 'text');
  return { format, folders: listFolders() };
}

function readFormat(options: Parsed['options']): OutputFormat {
  return oneOf(options, 'format', OUTPUT_FORMATS) ?? (options['json'] === true ? 'json' : 'text');
}

/** The folders that paths of diagnostics are relative to. */
function listFolders(options: Parsed['options'] = {}): readonly string[] {
  const cwd = process.cwd();
  try {
    return [cwd, findProjectRoot(cwd, options)];
  } catch {
    return [cwd]; // outside a project
  }
}

/** A signal to a whole process group reaches this process twice: directly, and through the program that started it. */
const SAME_SIGNAL_MILLISECONDS = 500;

/**
 * The exit code of a shell for a program that a signal ended: 130 after SIGINT, 143 after SIGTERM, 129 after SIGHUP.
 */
class Interrupted extends Error {
  readonly exitCode: number;

  constructor(signal: NodeJS.Signals) {
    super(`Interrupted by ${signal}`);
    this.name = 'Interrupted';
    this.exitCode = 128 + constants.signals[signal];
  }
}

function exitCodeOf({ reason }: AbortSignal): number {
  return reason instanceof Interrupted ? reason.exitCode : EXIT.ours;
}

/** The first Ctrl-C stops the work at its next safe point; a second one exits. */
function abortOnSignals(stop: AbortController): () => void {
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  let first = 0;
  const onSignal = (signal: NodeJS.Signals) => {
    if (stop.signal.aborted && performance.now() - first < SAME_SIGNAL_MILLISECONDS) return;
    if (stop.signal.aborted) process.exit(new Interrupted(signal).exitCode);
    first = performance.now();
    process.stderr.write('Stopping at the next safe point (press Ctrl-C again to force) …\n');
    stop.abort(new Interrupted(signal));
  };
  for (const name of names) process.on(name, onSignal);
  return () => {
    for (const name of names) process.off(name, onSignal);
  };
}
