// Which jobs GitHub starts for each way that a pull request can go, and what it cancels: by the workflow files alone.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { readDocumentedFiles } from '../../app/init/documented-files.ts';
import { DESTROY_LABEL } from '../../review/review-state.ts';
import { codePath } from '../../system/code.ts';
import { type Contexts, evaluateExpression, fillTemplate, startsJob } from './workflows/evaluate-expression.ts';

interface Workflow {
  readonly on: Readonly<Record<string, { readonly types?: readonly string[]; readonly branches?: readonly string[] }>>;
  readonly concurrency?: { readonly group: string; readonly 'cancel-in-progress': boolean };
  readonly jobs: Readonly<
    Record<
      string,
      { readonly if?: string; readonly environment?: string; readonly permissions: Readonly<Record<string, string>> }
    >
  >;
}

const FOLDER = '.github/workflows';
const read = (text: string) => parse(text) as Workflow;
const readOurs = (name: string) => read(readFileSync(codePath(FOLDER, name), 'utf8'));
const called = readOurs('pull-request.yaml').jobs;
const forkReport = readOurs('fork-report.yaml').jobs;
const callers = [
  ['the documented one', read((await readDocumentedFiles()).get(`${FOLDER}/davit-pull-request.yaml`) ?? '')],
  ["this repository's", readOurs('davit-pull-request.yaml')],
] as const;

interface Case {
  readonly action?: string;
  readonly event?: object;
  readonly pull?: object;
  readonly actor?: string;
  readonly eventName?: string;
}

const OWN = { full_name: 'octo/models' };

function makeContexts({ action = 'synchronize', event = {}, pull = {}, actor = 'octocat', eventName }: Case): Contexts {
  const payload =
    eventName === 'merge_group'
      ? { action: 'checks_requested', merge_group: { head_sha: 'a' } }
      : { action, number: 7, pull_request: { number: 7, state: 'open', draft: false, head: { repo: OWN }, ...pull } };
  const github = { repository: OWN.full_name, run_id: 4711, actor, event_name: eventName ?? 'pull_request' };
  return { github: { ...github, event: { ...payload, ...event } } };
}

/** The jobs that begin, where fetch has ended so and validate leaves these outputs. */
function listStarted(
  one: Case,
  outputs: Readonly<Record<string, string>> = { preview: 'true' },
  { inputs = { fetch: false }, fetched = 'success' }: { readonly inputs?: object; readonly fetched?: string } = {},
): readonly string[] {
  const contexts = { ...makeContexts(one), inputs };
  const status = { cancelled: false, failed: fetched === 'failure' };
  const validate = startsJob(called['validate']?.if, contexts, status);
  const fetch = startsJob(called['fetch']?.if, contexts, { ...status, failed: false });
  const needs = {
    fetch: { result: fetch ? fetched : 'skipped' },
    validate: { result: validate ? 'success' : 'skipped', outputs },
  };
  return Object.entries(called).flatMap(([name, { if: condition }]) =>
    startsJob(condition, { ...contexts, needs }, name === 'fetch' ? { ...status, failed: false } : status)
      ? [name]
      : [],
  );
}

const label = (name: string) => ({ event: { label: { name } } });
const ALL = ['validate', 'preview', 'report'];

const REVIEWED: readonly (readonly [string, Case])[] = [
  ['opened', { action: 'opened' }],
  ['opened as a draft', { action: 'opened', pull: { draft: true } }],
  ['a push, also a forced one', {}],
  ['reopened', { action: 'reopened' }],
  ['another base branch', { action: 'edited', event: { changes: { base: { ref: { from: 'other' } } } } }],
  [`the label "${DESTROY_LABEL}"`, { action: 'labeled', ...label(DESTROY_LABEL) }],
  [`without the label "${DESTROY_LABEL}"`, { action: 'unlabeled', ...label(DESTROY_LABEL) }],
  ["a bot's branch, such as Renovate's app", { action: 'opened', actor: 'renovate[bot]' }],
];

const IGNORED: readonly (readonly [string, Case])[] = [
  ['another title', { action: 'edited', event: { changes: { title: { from: 'x' } } } }],
  ['another label', { action: 'labeled', ...label('bug') }],
  ['without another label', { action: 'unlabeled', ...label('bug') }],
  ['a label that only begins alike', { action: 'labeled', ...label(`${DESTROY_LABEL} later`) }],
];

describe.each(callers)('%s', (_, { on, concurrency }) => {
  const group = (one: Case) => fillTemplate(concurrency?.group ?? '', makeContexts(one));

  it.each(REVIEWED)('reviews, and cancels an older review of the same pull request: %s', (_, one) => {
    expect(on['pull_request']?.types).toContain(one.action ?? 'synchronize');
    expect(listStarted(one)).toEqual(ALL);
    expect(group(one)).toBe(group({}));
    expect(group({ ...one, event: { ...one.event, number: 8 } })).not.toBe(group({}));
    expect(concurrency?.['cancel-in-progress']).toBe(true);
  });

  it.each(IGNORED)('neither starts nor cancels a review: %s', (_, one) => {
    expect(listStarted(one)).toEqual([]);
    expect(group(one)).toContain('4711');
    expect(group(one)).not.toBe(group({}));
  });

  it('starts nothing when a draft is ready, because drafts are reviewed, and nothing at a closed one', () => {
    const types = on['pull_request']?.types ?? [];
    expect(types.filter((type) => ['ready_for_review', 'converted_to_draft', 'closed'].includes(type))).toEqual([]);
    expect(listStarted({ action: 'labeled', ...label(DESTROY_LABEL), pull: { state: 'closed' } })).toEqual([]);
  });
});

describe('the jobs', () => {
  it('enter an environment only where an endpoint changes, and report in any case', () => {
    expect(listStarted({}, { preview: 'false' })).toEqual(['validate', 'report']);
    expect(listStarted({}, {}), 'validate has ended without a word').toEqual(ALL);
    const environments = Object.entries(called).filter(([, job]) => job.environment !== undefined);
    expect(environments.map(([name, job]) => [name, job.environment])).toEqual([
      ['fetch', '${{ inputs.fetch-environment }}'],
      ['preview', 'preview'],
    ]);
  });

  it('fetch only where the caller says so, and validate also where that has failed', () => {
    const withFetch = { inputs: { fetch: true } };
    expect(listStarted({}, { preview: 'true' }, withFetch)).toEqual(['fetch', ...ALL]);
    expect(listStarted({}, { preview: 'true' }, { ...withFetch, fetched: 'failure' })).toEqual(['fetch', ...ALL]);
    for (const [, one] of IGNORED) expect(listStarted(one, {}, withFetch)).toEqual([]);
    expect(listStarted({ eventName: 'merge_group' }, {}, withFetch)).toEqual(['queue']);
    for (const one of [
      { pull: { head: { repo: { full_name: 'stranger/models' } } } },
      { pull: { head: { repo: null } } },
      { actor: 'dependabot[bot]' },
    ])
      expect(listStarted(one, {}, withFetch)).toEqual(['validate']);
  });

  it('of a run that GitHub gives no secret only validate', () => {
    expect(listStarted({ pull: { head: { repo: { full_name: 'stranger/models' } } } })).toEqual(['validate']);
    expect(listStarted({ pull: { head: { repo: null } } }), 'the fork is gone').toEqual(['validate']);
    expect(listStarted({ actor: 'dependabot[bot]' })).toEqual(['validate']);
  });

  it('of a merge queue only compare, with nothing secret', () => {
    expect(listStarted({ eventName: 'merge_group' })).toEqual(['queue']);
    expect(called['queue']).not.toHaveProperty('environment');
    expect(called['queue']?.permissions).toEqual({ checks: 'write', contents: 'read', 'pull-requests': 'read' });
    for (const [, { on, concurrency }] of callers) {
      expect(on['merge_group']).toEqual({ branches: ['main'], types: ['checks_requested'] });
      const group = fillTemplate(concurrency?.group ?? '', makeContexts({ eventName: 'merge_group' }));
      expect(group, 'no group cancels another one').toContain('4711');
    }
  });

  it('report a run that was cancelled', () => {
    const contexts = { ...makeContexts({}), needs: { validate: { result: 'cancelled', outputs: {} } } };
    const cancelled = { cancelled: true, failed: false };
    expect(startsJob(called['preview']?.if, contexts, cancelled)).toBe(false);
    expect(startsJob(called['report']?.if, contexts, cancelled)).toBe(true);
  });
});

describe('the report of a fork', () => {
  const start = (run: object) => {
    const workflow_run = {
      event: 'pull_request',
      conclusion: 'success',
      head_repository: OWN,
      actor: { login: 'octocat' },
    };
    const event = { workflow_run: { ...workflow_run, ...run } };
    return evaluateExpression(forkReport['fork-report']?.if ?? '', { github: { repository: OWN.full_name, event } });
  };

  it("is made of a fork's run alone", () => {
    expect(start({ head_repository: { full_name: 'stranger/models' } })).toBe(true);
    expect(start({})).toBe(false);
    expect(start({ actor: { login: 'dependabot[bot]' } }), 'and of that of Dependabot').toBe(true);
    expect(start({ head_repository: { full_name: 'stranger/models' }, conclusion: 'skipped' })).toBe(false);
    expect(start({ head_repository: { full_name: 'stranger/models' }, event: 'push' })).toBe(false);
  });
});
