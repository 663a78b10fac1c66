import { cp, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { codePath } from '../system/code.ts';
import { makeChildEnvironment } from '../system/run-process.ts';
import type { BenchContext } from './benchmark.ts';
import { killProcesses, listProcessesUsing, sumCpuSeconds } from './processes.ts';
import { runTimed, type TimedRun } from './run-timed.ts';

/** The project folders that the example needs. */
const COPIED_FOLDERS = ['endpoints', 'environments', 'examples', 'models'];
/** Selects the endpoint files of the example's first version. */
export const FIRST_VERSION = ['--endpoints', 'examples/first-version'];

/** The example in a new folder, so that the user's deployments stay unchanged. It uses the user's caches. */
export interface BenchProject {
  readonly root: string;
  /** Runs `davit`. The CPU seconds include those that its supervisor and model servers used meanwhile. */
  readonly davit: (...args: readonly string[]) => Promise<TimedRun>;
  /** Runs `davit` with additional environment variables. */
  readonly davitIn: (env: NodeJS.ProcessEnv, ...args: readonly string[]) => Promise<TimedRun>;
  /** Runs `davit` even after Ctrl-C, to clean up. */
  readonly finish: (...args: readonly string[]) => Promise<TimedRun>;
  /** Runs `npm start` or `npm stop`. */
  readonly npm: (script: 'start' | 'stop') => Promise<TimedRun>;
  /** Takes down all deployments, ends all processes and removes the folder. Also works after Ctrl-C. */
  readonly remove: () => Promise<void>;
}

export async function makeBenchProject({ signal }: BenchContext): Promise<BenchProject> {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'davit-bench-')));
  const run = (program: string, args: readonly string[], { stop = signal, more = {} }: DavitCommandOptions = {}) =>
    addServerCpu(root, () =>
      runTimed(program, args, { cwd: root, signal: stop, env: { ...makeEnvironment(), ...more } }),
    );
  const davitIn = (more: NodeJS.ProcessEnv, ...args: readonly string[]) => run('node', [DAVIT, ...args], { more });
  const remove = async () => {
    if (listProcessesUsing(root).length > 0) {
      const stop = AbortSignal.timeout(DOWN_MILLISECONDS);
      await run('node', [DAVIT, 'down', '--all', '--quiet'], { stop }).catch(() => undefined); // killed below instead
    }
    killProcesses(listProcessesUsing(root));
    await rm(root, { recursive: true, force: true, maxRetries: 10 });
  };
  try {
    await fillProject(root);
  } catch (e) {
    await remove();
    throw e;
  }
  return {
    root,
    davit: (...args) => davitIn({}, ...args),
    davitIn,
    finish: (...args) => run('node', [DAVIT, ...args], { stop: AbortSignal.timeout(FINISH_MILLISECONDS) }),
    npm: (script) => run('npm', ['run', '--silent', script]),
    remove,
  };
}

const DAVIT = codePath('bin', 'davit.mjs');
const DOWN_MILLISECONDS = 60_000;
const FINISH_MILLISECONDS = 600_000;

interface DavitCommandOptions {
  readonly stop?: AbortSignal;
  readonly more?: NodeJS.ProcessEnv;
}

async function fillProject(root: string): Promise<void> {
  for (const folder of COPIED_FOLDERS) await cp(codePath(folder), join(root, folder), { recursive: true });
  await writeFile(join(root, 'Pulumi.yaml'), PULUMI_YAML);
  const launch = `node ${JSON.stringify(codePath('bin', 'launch.mjs'))}`;
  const scripts = { start: `${launch} cli/start.ts`, stop: `${launch} cli/stop.ts` };
  await writeFile(join(root, 'package.json'), JSON.stringify({ name: 'davit-bench', private: true, scripts }));
}

/** Adds the CPU seconds that the project's servers used during a command, whether or not the command started them. */
async function addServerCpu(root: string, work: () => Promise<TimedRun>): Promise<TimedRun> {
  const before = sumCpuSeconds(listProcessesUsing(root));
  const timed = await work();
  return { ...timed, cpuSeconds: timed.cpuSeconds + Math.max(0, sumCpuSeconds(listProcessesUsing(root)) - before) };
}

/** Leaves out the user's choice of a backend, because benchmarks must leave nothing there. */
function makeEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(makeChildEnvironment()).filter(
    ([name]) => !/^(PULUMI_|DAVIT_(ENDPOINTS|FROM|LOCKS)$)/.test(name),
  );
  return Object.fromEntries(kept);
}

const PULUMI_YAML = `
name: davit
runtime: { name: nodejs, options: { typescript: false } }
main: ${JSON.stringify(codePath('infra'))}
stackConfigDir: .davit/stacks
backend: { url: 'file://.davit/pulumi?metadata=skip' }
plugins: { providers: [{ name: davit, path: ${JSON.stringify(codePath('local'))} }] }
`;
