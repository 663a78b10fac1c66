import { describe, expect, it } from 'vitest';
import { mergeReports, type StageOutcome } from '../../review/merge-reports.ts';
import { concludeReview, renderSummaryLine } from '../../review/review-state.ts';
import type { EndpointReport, PullRequest, Report } from '../../schemas/report/report.ts';
import { deleted, failing, makeEndpoint, makeReport, PULL_REQUEST, rolling } from './reports.ts';

const [BASE, HEAD] = ['1'.repeat(40), '2'.repeat(40)];
function merge(validate: StageOutcome, preview: StageOutcome, pullRequest: Partial<PullRequest> = {}): Report {
  const facts = { pullRequest: { ...PULL_REQUEST, ...pullRequest }, base: BASE, head: HEAD };
  return mergeReports({ validate, preview }, facts);
}

const left = (report: Report, result: StageOutcome['result'] = 'success'): StageOutcome => ({
  result,
  report: JSON.stringify(report),
});
const nothing = (result: StageOutcome['result']): StageOutcome => ({ result, report: undefined });

const validated = (...endpoints: readonly EndpointReport[]) => makeReport(endpoints);
const previewed = (...endpoints: readonly EndpointReport[]) =>
  makeReport(endpoints.map((e) => ({ ...e, entities: [], lock: 'unknown' as const })));
const unpreviewed = (endpoint: string, more: Partial<EndpointReport> = {}) =>
  makeEndpoint(endpoint, { previews: [], ...more });

describe('mergeReports()', () => {
  it('takes proofs from the validation, plans from the preview, and the pull request from GitHub', () => {
    const claims: Report = {
      ...validated(unpreviewed('iris')),
      base: 'a'.repeat(40),
      head: 'b'.repeat(40),
      pull_request: { ...PULL_REQUEST, number: 8, destroy: true, locks_commit: 'c'.repeat(40) },
    };
    const merged = merge(left(claims), left(previewed(makeEndpoint('iris', { change: 'added' }))));
    expect(merged).toMatchObject({ base: BASE, head: HEAD, pull_request: PULL_REQUEST });
    expect(merged.endpoints).toEqual([makeEndpoint('iris', { change: 'added' })]);
    expect(concludeReview(merged)).toBe('success');
  });

  it('believes no plan to who ran the models, and says what a cancelled stage has found out', () => {
    const cut = makeReport([makeEndpoint('iris')], { stages: [{ stage: 'validate', result: 'cancelled', why: null }] });
    const merged = merge(left(cut, 'cancelled'), nothing('cancelled'));
    expect(merged.endpoints).toEqual([unpreviewed('iris')]);
    expect(merged.stages.map((s) => s.result)).toEqual(['cancelled', 'cancelled']);
  });

  it('tells of an endpoint that fails once, though both stages say so', () => {
    const wrong = failing('iris', 'check', 'bad-value', 'Cannot do it', 'Do it');
    const merged = merge(left(validated(wrong), 'failure'), left(previewed(wrong), 'failure'));
    expect(merged.endpoints[0]?.diagnostics).toEqual(wrong.diagnostics);
    expect(merged.stages.map((s) => s.result)).toEqual(['success', 'success']);
    expect(concludeReview(merged)).toBe('failure');
  });

  it.each<readonly [string, StageOutcome, StageOutcome, readonly [string, string], string]>([
    [
      'validate failed',
      nothing('failure'),
      nothing('skipped'),
      ['failure', 'skipped'],
      'Not reviewed: validate failed',
    ],
    [
      'cancelled',
      nothing('cancelled'),
      nothing('skipped'),
      ['cancelled', 'skipped'],
      'Not reviewed: validate was cancelled',
    ],
    [
      'report lost',
      nothing('success'),
      nothing('success'),
      ['missing', 'missing'],
      'Not reviewed: validate left no report',
    ],
    [
      'report forged',
      { result: 'success', report: '{"report_version": 3}' },
      nothing('skipped'),
      ['unreadable', 'skipped'],
      'Not reviewed: validate left a report that cannot be read',
    ],
    [
      'preview failed',
      left(validated(unpreviewed('iris'))),
      nothing('failure'),
      ['success', 'failure'],
      '1 endpoint: 1 proved, not previewed',
    ],
    [
      'only the preview reported',
      nothing('failure'),
      left(previewed(makeEndpoint('iris'))),
      ['failure', 'success'],
      '1 endpoint: 1 not reviewed',
    ],
  ])('says which stage is missing: %s', (_, validate, preview, results, line) => {
    const merged = merge(validate, preview);
    expect(merged.stages.map((s) => s.result)).toEqual(results);
    expect(renderSummaryLine(merged)).toBe(line);
    expect(concludeReview(merged)).toBe('failure');
  });

  it("takes a fork's report for its claim: no success, and nothing against it that nobody previews it", () => {
    const merged = merge(left(validated(unpreviewed('iris'))), nothing('skipped'), { fork: true });
    expect(renderSummaryLine(merged)).toBe("1 endpoint: 1 proved by the fork's own run");
    expect(merged.stages[1]?.why).toContain('fork');
    expect(concludeReview(merged)).toBe('action_required');
    const trusted = { fork: true, needs_own_run: false };
    expect(concludeReview(merge(left(validated()), nothing('skipped'), trusted))).toBe('success');
  });

  it('wants a computed lock in the pull request', () => {
    const computed = { lock: 'missing', computed_lock: 'd'.repeat(64) } as const;
    const ends = [left(validated(unpreviewed('iris', computed))), left(previewed(makeEndpoint('iris')))] as const;
    expect(renderSummaryLine(merge(...ends))).toBe('1 endpoint: 1 without its lock');
    expect(concludeReview(merge(...ends))).toBe('failure');
    const committed = merge(...ends, { locks_commit: '3'.repeat(40) });
    expect(committed.endpoints[0]?.lock).toBe('committed');
    expect(renderSummaryLine(committed)).toBe('1 endpoint: 1 rolling');
    expect(concludeReview(committed)).toBe('success');
  });

  it('wants the label of who removes what serves', () => {
    const removal = makeEndpoint('iris', { change: 'removed', entities: [], previews: [deleted('iris')] });
    const ends = [left(validated({ ...removal, previews: [] })), left(previewed(removal))] as const;
    expect(renderSummaryLine(merge(...ends))).toBe('1 endpoint: 1 removed without the label');
    expect(concludeReview(merge(...ends))).toBe('failure');
    expect(renderSummaryLine(merge(...ends, { destroy: true }))).toBe('1 endpoint: 1 removed');
    expect(concludeReview(merge(...ends, { destroy: true }))).toBe('success');
  });

  it('joins environments that only one stage knows', () => {
    const [a, b] = [
      makeReport([unpreviewed('iris')], { environments: ['local'] }),
      previewed(makeEndpoint('iris', { previews: [rolling('iris', 'production')] })),
    ];
    expect(merge(left(a), left({ ...b, environments: ['production'] })).environments).toEqual(['local', 'production']);
  });
});
