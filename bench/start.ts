import { makeBenchProject } from './bench-project.ts';
import { type Benchmark, repeatWork, makeTimeFigures } from './benchmark.ts';

const TIMES = 3;

export const start: Benchmark = {
  summary: '`npm start` with warm caches, and again with everything in place',
  note: 'Target: warm npm start in at most 30 s.',
  run: async (bench) => {
    const project = await makeBenchProject(bench);
    try {
      bench.progress.say('npm start once, not counted: it fills the caches …');
      await project.npm('start');
      const rounds = await repeatWork(bench, { what: 'npm stop, npm start, npm start', times: TIMES }, async () => ({
        stop: await project.npm('stop'),
        fresh: await project.npm('start'),
        again: await project.npm('start'),
      }));
      return [
        ...makeTimeFigures(
          'npm start, nothing deployed',
          'davit',
          rounds.map((r) => r.fresh),
        ),
        ...makeTimeFigures(
          'npm start, all in place',
          'davit',
          rounds.map((r) => r.again),
        ),
        { what: 'npm stop', unit: 'wall s', side: 'davit', values: rounds.map((r) => r.stop.wallSeconds) },
      ];
    } finally {
      await project.remove();
    }
  },
};
