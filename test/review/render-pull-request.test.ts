import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { renderReport } from '../../review/render-report.ts';
import { parseReport, type PullRequest, type Report } from '../../schemas/report/report.ts';
import {
  created,
  deleted,
  failing,
  fingerprinted,
  makeEndpoint,
  makeReport,
  path,
  PULL_REQUEST,
  rolling,
  unchanged,
} from './reports.ts';

const GOLDEN = join(import.meta.dirname, 'golden');
const PROGRAM = { digest: '5'.repeat(64), commit: 'd'.repeat(40), environments: 'base' } as const;
const done = (stage: 'validate' | 'preview') => ({ stage, result: 'success', why: null }) as const;

function makePull(endpoints: Report['endpoints'], pull: Partial<PullRequest> = {}, more: Partial<Report> = {}): Report {
  return makeReport(endpoints, {
    program: PROGRAM,
    environments: ['staging', 'production'],
    pull_request: { ...PULL_REQUEST, ...pull },
    ...more,
  });
}

const both = (make: typeof rolling, name: string) =>
  ['staging', 'production'].map((environment) => fingerprinted(make(name, environment)));
const unpreviewed = (name: string) => makeEndpoint(name, { previews: [] });

const REPORTS: Readonly<Record<string, Report>> = {
  'pull-request': makePull(
    [
      makeEndpoint('iris', { previews: both(rolling, 'iris') }),
      makeEndpoint('ranker', {
        change: 'affected',
        because: [path('environments/production.yaml')],
        previews: both(rolling, 'ranker'),
      }),
    ],
    { base_moved_to: 'e'.repeat(40) },
    { program: { ...PROGRAM, changed_environments: ['production'] } },
  ),
  'environment-unused': makePull([
    makeEndpoint('iris', {
      change: 'affected',
      because: [path('environments/production.yaml')],
      previews: both(unchanged, 'iris'),
    }),
  ]),
  'locks-computed': makePull([
    makeEndpoint('fresh', {
      change: 'added',
      lock: 'missing',
      computed_lock: 'a'.repeat(64),
      previews: both(created, 'fresh'),
    }),
    makeEndpoint('iris', { lock: 'stale', computed_lock: 'b'.repeat(64), previews: both(rolling, 'iris') }),
  ]),
  'locks-committed': makePull(
    [
      makeEndpoint('fresh', {
        change: 'added',
        lock: 'committed',
        computed_lock: 'a'.repeat(64),
        previews: both(created, 'fresh'),
      }),
    ],
    { locks_commit: 'c'.repeat(40) },
  ),
  'removal-without-label': makePull([
    makeEndpoint('iris', { previews: both(rolling, 'iris') }),
    makeEndpoint('old', {
      ...{ change: 'removed', entities: [], lock: 'unknown' },
      because: [path('endpoints/old.yaml', 'deleted'), path('endpoints/old.lock', 'deleted')],
      previews: ['staging', 'production'].map((environment) => deleted('old', environment)),
    }),
  ]),
  fork: makePull(
    [
      unpreviewed('iris'),
      failing('ranker', 'proof', 'load-failed', 'Cannot load ranker 2: no module "lightgbm"', 'Add it'),
    ],
    { fork: true },
    {
      program: null,
      stages: [done('validate'), { stage: 'preview', result: 'skipped', why: 'the pull request comes from a fork' }],
    },
  ),
  'validate-cancelled': makePull(
    [],
    {},
    {
      program: null,
      environments: [],
      stages: [
        { stage: 'validate', result: 'cancelled', why: null },
        { stage: 'preview', result: 'skipped', why: null },
      ],
    },
  ),
  'preview-failed': makePull(
    [unpreviewed('iris'), unpreviewed('ranker')],
    {},
    {
      program: null,
      stages: [done('validate'), { stage: 'preview', result: 'failure', why: null }],
    },
  ),
  'report-unreadable': makePull(
    [],
    {},
    {
      program: null,
      environments: [],
      stages: [
        {
          stage: 'validate',
          result: 'unreadable',
          why: 'Cannot read the report: it has 99999999 characters, expected at most 33554432',
        },
        { stage: 'preview', result: 'skipped', why: null },
      ],
    },
  ),
};

describe('renderReport() of a pull request', () => {
  for (const [name, report] of Object.entries(REPORTS)) {
    it(`renders ${name}`, async () => {
      expect(parseReport(JSON.stringify(report))).toEqual(report);
      await expect(renderReport(report)).toMatchFileSnapshot(join(GOLDEN, `${name}.md`));
    });
  }

  it('says the one command for the locks, and puts no name into it that a shell could take for more', () => {
    const computed = { lock: 'missing', computed_lock: 'a'.repeat(64) } as const;
    expect(renderReport(makePull([makeEndpoint('a', computed), makeEndpoint('b', computed)]))).toContain(
      '`npx davit lock a b`',
    );
    const hostile = renderReport(makePull([makeEndpoint('a; rm -rf ~', computed)]));
    expect(hostile).toContain('`npx davit lock`');
    expect(hostile).not.toContain('lock a; rm');
  });

  it('says of several locks that they were committed', () => {
    const committed = { lock: 'committed', computed_lock: 'a'.repeat(64) } as const;
    const pull = makePull([makeEndpoint('a', committed), makeEndpoint('b', committed)], {
      locks_commit: 'c'.repeat(40),
    });
    expect(renderReport(pull)).toContain('The locks of `a` and `b` were computed and committed to this branch');
  });

  it('leaves room for what becomes of the merge, however much there is to tell', () => {
    const endpoints = Array.from({ length: 300 }, (_, i) =>
      makeEndpoint(`endpoint-${i}`, { lock: 'missing', computed_lock: 'a'.repeat(64) }),
    );
    expect(renderReport(makePull(endpoints)).length).toBeLessThanOrEqual(65_536 - 8500);
  });
});
