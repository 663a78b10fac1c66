// `npm run bench` measures Davit and, if there is one, its peer in the same run. It checks no figure against a limit,
// and fails only if something does not work or a request is lost.
import { cpus, loadavg, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { writeFileAtomically } from '../system/atomic-files.ts';
import type { BenchContext, Benchmark, Figure } from './benchmark.ts';
import { pullRequest } from './action/pull-request.ts';
import { action } from './action/start.ts';
import { changes } from './changes.ts';
import { check } from './check.ts';
import { gateway } from './gateway.ts';
import { KUBERNETES } from './kubernetes.ts';
import { predict } from './predict.ts';
import { preview } from './preview.ts';
import { renderFigures, summarize } from './render-figures.ts';
import { serve } from './serve.ts';
import { start } from './start.ts';
import { update } from './update.ts';
import { validate } from './validate.ts';
import { readErrorMessage } from '../schemas/values/read-error-message.ts';

const LOCAL: Readonly<Record<string, Benchmark>> = {
  ...{ start, check, validate, changes, predict, preview, update, serve, gateway, action },
  'pull-request': pullRequest,
};
/** Selects the cluster's benchmarks for the names that follow. */
const CLUSTER = 'kubernetes';

const HELP = `npm run bench -- [BENCHMARK…] [OPTIONS]
npm run bench -- ${CLUSTER} [BENCHMARK…] [OPTIONS]

Prints minimum / median / maximum of each figure; wall and CPU seconds, CPU of whole process trees. Without names: all.
All of them take about ten minutes. They work in folders of their own and remove them, also after Ctrl-C. Those for
${CLUSTER} need a cluster and its platform: npx davit cluster up, then npx davit up _platform --env cluster.

  --seconds N   Seconds of load; default 60 for update, 3 a step for the others
  --json FILE   Also write every value to this file
  --list        List the benchmarks
  --help        Print this help
`;

const EXIT = { fine: 0, fault: 1, usage: 2, failed: 3, interrupted: 130 } as const;

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  const read = readArguments(argv);
  if (typeof read === 'string') {
    process.stderr.write(`${read}\n`);
    return EXIT.usage;
  }
  const { benchmarks, seconds, json, text } = read;
  if (text !== undefined) {
    process.stdout.write(text);
    return EXIT.fine;
  }
  const stop = new AbortController();
  abortOnSignals(stop);
  process.stdout.write(`${renderMachine()}\n`);
  const results = await runBenchmarks(benchmarks, { signal: stop.signal, seconds });
  if (json !== undefined) await writeFileAtomically(json, renderJson(results));
  if (stop.signal.aborted) return EXIT.interrupted;
  if (results.some((r) => r.error !== undefined)) return EXIT.failed;
  return results.some((r) => r.faults.length > 0) ? EXIT.fault : EXIT.fine;
}

type NamedBenchmarks = readonly (readonly [name: string, benchmark: Benchmark])[];

interface BenchArguments {
  readonly benchmarks: NamedBenchmarks;
  readonly seconds: number | undefined;
  readonly json: string | undefined;
  /** Text to print instead of running benchmarks. */
  readonly text: string | undefined;
}

/** The parsed arguments, or an error message. */
function readArguments(argv: readonly string[]): BenchArguments | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        seconds: { type: 'string' },
        json: { type: 'string' },
        list: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    const [first] = positionals;
    const [known, names] = first === CLUSTER ? [KUBERNETES, positionals.slice(1)] : [LOCAL, positionals];
    const unknown = names.find((name) => !Object.hasOwn(known, name));
    if (unknown !== undefined) return `Cannot run "${unknown}": expected one of ${Object.keys(known).join(', ')}`;
    const seconds = values.seconds === undefined ? undefined : Number(values.seconds);
    if (seconds !== undefined && !(seconds > 0))
      return `Cannot use "${values.seconds ?? ''}" for --seconds: expected a number above 0`;
    const text = values.help ? HELP : values.list ? renderList() : undefined;
    const benchmarks = Object.entries(known).filter(([name]) => names.length === 0 || names.includes(name));
    return { benchmarks, seconds, json: values.json, text };
  } catch (e) {
    return `${readErrorMessage(e)}\n\n${HELP}`;
  }
}

interface Result {
  readonly name: string;
  readonly benchmark: Benchmark;
  readonly seconds: number;
  readonly figures: readonly Figure[];
  readonly faults: readonly string[];
  readonly error: string | undefined;
}

async function runBenchmarks(
  benchmarks: NamedBenchmarks,
  options: Pick<BenchContext, 'signal' | 'seconds'>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  for (const named of benchmarks) {
    const result = await runBenchmark(named, options);
    if (options.signal.aborted) break; // the run was interrupted, so its figures are useless
    results.push(result);
    process.stdout.write(`\n${renderResult(result)}\n`);
  }
  return results;
}

async function runBenchmark(
  [name, benchmark]: NamedBenchmarks[number],
  options: Pick<BenchContext, 'signal' | 'seconds'>,
): Promise<Result> {
  const faults: string[] = [];
  const started = performance.now();
  const progress = { say: (line: string) => void process.stderr.write(`[${name}] ${line}\n`) };
  const outcome = await benchmark.run({ ...options, progress, fault: (sentence) => faults.push(sentence) }).then(
    (figures) => ({ figures, error: undefined }),
    (e: unknown) => ({ figures: [], error: readErrorMessage(e) }),
  );
  const seconds = (performance.now() - started) / 1000;
  return { name, benchmark, seconds, ...outcome, faults };
}

function renderResult({ name, benchmark: { summary, note }, seconds, figures, faults, error }: Result): string {
  return [
    `${name}: ${summary} (${seconds.toFixed(0)} s)`,
    ...(figures.length > 0 ? ['', renderFigures(figures), '', note] : []),
    ...faults.map((f) => `FAULT  ${f}`),
    ...(error === undefined ? [] : [`FAILED  ${error}`]),
  ].join('\n');
}

function renderJson(results: readonly Result[]): string {
  const benchmarks = results.map(({ name, seconds, figures, faults, error }) => ({
    ...{ name, seconds, faults, error },
    figures: figures.map((f) => ({ ...f, ...summarize(f.values) })),
  }));
  return `${JSON.stringify({ time: new Date().toISOString(), machine: renderMachine(), benchmarks }, null, 2)}\n`;
}

/** Includes the machine's load, because other work on the machine changes the figures. */
function renderMachine(): string {
  const gib = Math.round(totalmem() / 2 ** 30);
  const [load = 0] = loadavg();
  return `${cpus().length} processors, ${gib} GiB, Node ${process.versions.node}, load before the run ${load.toFixed(1)}`;
}

function renderList(): string {
  const list = (prefix: string, benchmarks: Readonly<Record<string, Benchmark>>) =>
    Object.entries(benchmarks).map(([name, { summary }]) => `${(prefix + name).padEnd(22)}${summary}\n`);
  return [...list('', LOCAL), ...list(`${CLUSTER} `, KUBERNETES)].join('');
}

/** The first Ctrl-C stops the benchmark and cleans up; a second one exits at once. */
function abortOnSignals(stop: AbortController): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => {
      if (stop.signal.aborted) process.exit(EXIT.interrupted);
      process.stderr.write('Stopping and cleaning up (press Ctrl-C again to force) …\n');
      stop.abort(new Error(`Interrupted by ${signal}`));
    });
}
