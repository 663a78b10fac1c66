import { findPython } from '../python/find-python.ts';
import { codePath } from '../system/code.ts';
import { makeChildEnvironment, runProcess } from '../system/run-process.ts';

/** One run of a command. */
export interface TimedRun {
  readonly wallSeconds: number;
  /** User and system seconds of all its processes that have ended. Processes that still run are not included. */
  readonly cpuSeconds: number;
  readonly stdout: string;
}

export interface TimedRunOptions {
  readonly cwd: string;
  readonly signal: AbortSignal;
  readonly env?: NodeJS.ProcessEnv;
}

const MEASURE = codePath('bench', 'measure.py');
/** Any version would work. The example needs this version anyway. */
const PYTHON = '3.11';
const LAST_LINES = 12;

/** Runs a command to its end. Throws with its last lines when it fails. */
export async function runTimed(
  program: string,
  args: readonly string[],
  { cwd, signal, env = makeChildEnvironment() }: TimedRunOptions,
): Promise<TimedRun> {
  const python = await findPython(PYTHON);
  if (!python) throw new Error('Cannot measure: this machine has no Python 3.11');
  const options = { cwd, env, signal };
  const { code, stdout, stderr } = await runProcess(python.executable, [MEASURE, program, ...args], options);
  const lines = stderr.trimEnd().split('\n');
  if (code === 0) return { ...parseCost(lines.at(-1) ?? ''), stdout };
  const last = `${lines.slice(0, -1).join('\n')}\n${stdout}`.trim().split('\n').slice(-LAST_LINES).join('\n    ');
  throw new Error(`Cannot measure "${[program, ...args].join(' ')}": it ended with exit code ${code}\n    ${last}`);
}

function parseCost(line: string): Omit<TimedRun, 'stdout'> {
  const { wall_seconds, cpu_seconds } = JSON.parse(line) as {
    readonly wall_seconds: number;
    readonly cpu_seconds: number;
  };
  return { wallSeconds: wall_seconds, cpuSeconds: cpu_seconds };
}
