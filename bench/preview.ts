import { type BenchProject, FIRST_VERSION, makeBenchProject } from './bench-project.ts';
import { type Benchmark, repeatWork, makeTimeFigures } from './benchmark.ts';
import type { TimedRun } from './run-timed.ts';

const TIMES = 3;
const SIDE = 'davit';

export const preview: Benchmark = {
  summary: '`davit preview`, and `davit up` with and without a change',
  note: 'Target: at most 5 s for preview; at most the load time of the model plus 5 s for up of a changed entity.',
  run: async (bench) => {
    const project = await makeBenchProject(bench);
    try {
      bench.progress.say('Both versions once, not counted …');
      await project.davit('up', 'iris', ...FIRST_VERSION);
      await project.davit('up', 'iris');
      const runs = (what: string, ...args: readonly string[]) =>
        repeatWork(bench, { what: `davit ${what}`, times: TIMES }, () => project.davit(...args));
      const same = await runs('preview, no change', 'preview', 'iris');
      const changed = await runs('preview, entity changed', 'preview', 'iris', ...FIRST_VERSION);
      const idle = await runs('up, no change', 'up', 'iris');
      const updates = await repeatWork(bench, { what: 'davit up, entity changed', times: TIMES }, (round) =>
        measureUpdate(project, round % 2 === 0 ? FIRST_VERSION : []),
      );
      const figure = (what: string, pick: (u: Update) => number) => ({
        what,
        unit: 'wall s',
        side: SIDE,
        values: updates.map(pick),
      });
      return [
        ...makeTimeFigures('preview, no change', SIDE, same),
        ...makeTimeFigures('preview, entity changed', SIDE, changed),
        ...makeTimeFigures('up, no change', SIDE, idle),
        ...makeTimeFigures('up, entity changed', SIDE, updates),
        figure('  of that, the model server until ready', (u) => u.loadSeconds),
        figure('  of that, all the rest', (u) => u.wallSeconds - u.loadSeconds),
      ];
    } finally {
      await project.remove();
    }
  },
};

interface Update extends TimedRun {
  /** From the start of the model server until it reports ready. */
  readonly loadSeconds: number;
}

async function measureUpdate(project: BenchProject, from: readonly string[]): Promise<Update> {
  const timed = await project.davit('up', 'iris', ...from);
  const { stdout } = await project.davit('logs', 'iris', '--json');
  return { ...timed, loadSeconds: readLoadSeconds(stdout) };
}

/** Reads the load time that the current model server has logged. */
function readLoadSeconds(stdout: string): number {
  const { result } = JSON.parse(stdout) as {
    readonly result: { readonly logs: readonly { readonly lines: readonly string[] }[] };
  };
  const line = result.logs.flatMap((l) => l.lines).findLast((l) => l.startsWith('{"event": "ready"'));
  if (line === undefined) throw new Error('Cannot find the event "ready" in what davit logs prints');
  return (JSON.parse(line) as { readonly seconds: { readonly total: number } }).seconds.total;
}
