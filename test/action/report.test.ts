import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { renderExpectation } from '../../review/outdated-review.ts';
import '../../action/commands/report.ts'; // loaded before the time of the first test begins
import { REPORT_MARKER } from '../../review/render-report.ts';
import { parseReviewedPlans } from '../../review/reviewed-plans.ts';
import type { Report } from '../../schemas/report/report.ts';
import { codePath } from '../../system/code.ts';
import { deleted, failing, makeEndpoint, makeReport, rolling } from '../review/reports.ts';
import { makeOid } from './github/fake/branches.ts';
import type { Seed } from './github/fake/seed.ts';
import { startFakeGitHub } from './github/fake/server.ts';
import { runStepInProcess, TOKEN, writeFiles } from './run-action.ts';

const HEAD = 'a'.repeat(40);
const BASE = 'b'.repeat(40);
const BOT = 'github-actions[bot]';
const LOCK = readFileSync(codePath('endpoints', 'iris.lock'), 'utf8');
const digest = (text: string) => createHash('sha256').update(text).digest('hex');
const LOCK_SHA256 = digest(LOCK);
const WRITES = { checks: 'write', contents: 'write', 'pull-requests': 'write' } as const;

const SECONDARY_LIMIT = {
  headers: { 'retry-after': '1' },
  message: 'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.',
};

type Files = Readonly<Record<string, string>>;

interface Case {
  /** Below the folder of reports. */
  readonly files?: Files;
  readonly inputs?: Files;
  readonly seed?: Partial<Seed>;
  readonly event?: object;
  readonly eventName?: string;
  readonly env?: Files;
  readonly prepare?: (reports: string) => void;
  /** Default: at most one comment is there at the end. */
  readonly oneComment?: boolean;
}

/** Reports on pull request 7 of the fake GitHub. */
async function report({ files = {}, inputs = {}, seed = {}, event, eventName, env, prepare, oneComment = true }: Case) {
  const github = await startFakeGitHub({
    repository: 'octo/models',
    tokens: { [TOKEN]: { login: BOT, permissions: WRITES } },
    pulls: [{ number: 7, head: { sha: HEAD }, base: { sha: BASE } }],
    branches: { change: HEAD },
    ...seed,
  });
  onTestFinished(async () => {
    await github.close();
    expect(github.breaches).toEqual([]);
  });
  const workspace = mkdtempSync(join(tmpdir(), 'davit-report-'));
  const reports = join(workspace, 'reports');
  mkdirSync(reports);
  writeFiles(reports, files);
  prepare?.(reports);
  const step = await runStepInProcess({
    inputs: { command: 'report', 'github-token': TOKEN, ...RESULTS, ...digestOf(files), ...inputs },
    workspace,
    event: event ?? { pull_request: { number: 7, base: { sha: BASE }, head: { sha: HEAD } } },
    ...(eventName !== undefined && { eventName }),
    env: { GITHUB_API_URL: github.url, GITHUB_SERVER_URL: github.url, ...RELEASE, ...env },
  });
  if (oneComment) expect(github.world.comments.length).toBeLessThanOrEqual(1);
  return { ...step, github, comment: github.world.comments.at(0)?.body, check: github.world.checkRuns.at(-1) };
}

/** What the job of the preview hands on. */
function digestOf(files: Files): Files {
  const text = files['davit-preview/report.json'];
  return text === undefined ? {} : { 'preview-digest': digest(text) };
}

/** As GitHub's runner sets them for an action of another repository. */
const RELEASE = { GITHUB_ACTION_REPOSITORY: 'acme/davit', GITHUB_ACTION_REF: 'v1.2.0' };

const RESULTS = { 'validate-result': 'success', 'preview-result': 'success' };

const stage = (name: 'validate' | 'preview', value: unknown): Files => ({
  [`davit-${name}/report.json`]: JSON.stringify(value),
});
const both = (value: Report): Files => ({ ...stage('validate', value), ...stage('preview', value) });

describe('report', () => {
  it('says the same in comment, check run, summary and files', async () => {
    const wrong = failing('fraud', 'check', 'bad-value', 'Cannot pin', 'Pin it');
    const { code, commands, github, comment, check, outputs, summary, log } = await report({
      files: both(makeReport([makeEndpoint('iris'), wrong])),
    });
    expect({ code, commands }).toEqual({ code: 0, commands: [] });
    const line = '### 2 endpoints: 1 fails, 1 rolling';
    expect(comment).toContain(line);
    expect(comment?.startsWith('<!-- davit')).toBe(true);
    const page = `${github.url}/acme/davit/blob/v1.2.0/docs/diagnostics/bad-value.md`;
    expect(comment).toContain(`- **error** [bad-value](${page}) at \`endpoints/fraud.yaml:4:`);
    expect(summary).toContain(line);
    expect(check).toMatchObject({ sha: HEAD, name: 'davit', conclusion: 'failure', title: line.slice(4) });
    expect(check?.annotations).toEqual([
      expect.objectContaining({ path: 'endpoints/fraud.yaml', start_line: 4, annotation_level: 'failure' }),
    ]);
    expect(outputs).toMatchObject({ conclusion: 'failure', errors: '1' });
    expect(outputs['comment-url']).toContain('#issuecomment');
    expect(readFileSync(join(outputs['folder']!, 'report.md'), 'utf8')).toContain(line);
    expect(JSON.parse(readFileSync(join(outputs['folder']!, 'report.json'), 'utf8'))).toMatchObject({
      head: HEAD,
      base: BASE,
      pull_request: { number: 7, fork: false, run_url: `${github.url}/octo/models/actions/runs/4711` },
    });
    expect(log).toMatch(/^Sent \d requests to GitHub, 0 of them retries/m);
  });

  it('says what became of stages that left nothing', async () => {
    const { code, comment, check } = await report({
      inputs: { 'validate-result': 'cancelled', 'preview-result': 'skipped' },
    });
    expect(code).toBe(0);
    expect(comment).toContain('validate was cancelled');
    expect(check?.conclusion).toBe('cancelled');
  });

  it(
    'believes nothing of what is no report: a link, a folder, another form, too much',
    { timeout: 120_000 },
    async () => {
      const secret = join(mkdtempSync(join(tmpdir(), 'davit-secret-')), 'report.json');
      writeFileSync(secret, JSON.stringify(makeReport([makeEndpoint('stolen')])));
      const links = [
        (folder: string) => {
          mkdirSync(join(folder, 'davit-validate'));
          symlinkSync(secret, join(folder, 'davit-validate', 'report.json'));
        },
        (folder: string) => symlinkSync(join(secret, '..'), join(folder, 'davit-validate')),
        (folder: string) => mkdirSync(join(folder, 'davit-validate', 'report.json'), { recursive: true }),
        (folder: string) => writeFiles(folder, stage('validate', { ...makeReport([]), pull_request_number: 1 })),
        (folder: string) => writeFiles(folder, { 'davit-validate/report.json': ' '.repeat((32 << 20) + 1) }),
        (folder: string) => writeFiles(folder, { 'davit-validate/report.json': '{"__proto__": {"x": 1}}' }),
      ];
      for (const prepare of links) {
        const { code, comment, check } = await report({ prepare });
        expect(code).toBe(0);
        expect(comment).toContain('validate left a report that cannot be read');
        expect(comment).not.toContain('stolen');
        expect(check?.conclusion).toBe('failure');
      }
    },
  );

  it('believes no plan of who ran the models: neither in the own report nor in one under the name of the preview', async () => {
    const forged = makeReport([makeEndpoint('iris')]);
    for (const { files, inputs } of [
      { files: stage('validate', forged), inputs: { 'preview-result': 'failure' } },
      { files: both(forged), inputs: { 'preview-digest': '' } },
      { files: both(forged), inputs: { 'preview-digest': digest('another') } },
      { files: both(forged), inputs: { 'preview-result': 'skipped' } },
    ]) {
      const { code, comment, check } = await report({ files, inputs });
      expect(code).toBe(0);
      expect(comment).toContain('### 1 endpoint: 1 proved, not previewed');
      expect(check).toMatchObject({ conclusion: 'failure', text: '{"reviewed_version":1,"endpoints":{"iris":{}}}' });
    }
  });

  it('keeps in the check run what was reviewed', async () => {
    const fingerprint = { digest: 'e'.repeat(64), parts: { lock: 'f'.repeat(16) } };
    const preview = { ...rolling('iris'), fingerprint };
    const { check } = await report({ files: both(makeReport([makeEndpoint('iris', { previews: [preview] })])) });
    expect(parseReviewedPlans(check?.text ?? '')?.find('iris', 'local')).toEqual(fingerprint);
  });

  it('lets no text of a report command the runner or leave its place', async () => {
    const bad =
      '\u{1b}[31m::set-output name=conclusion::success\n::add-mask::x ##[error]y ${{ secrets.X }} @octocat <!-- --> </details>';
    const { commands, outputs, comment, check } = await report({
      files: both(
        makeReport([
          makeEndpoint('iris', { outage: bad, because: [{ path: bad, change: 'added' }] }),
          makeEndpoint(bad),
          failing('fraud', 'check', 'bad-yaml', bad, bad),
        ]),
      ),
    });
    expect(commands).toEqual([]);
    expect(outputs['conclusion']).toBe('failure');
    for (const text of [comment, check?.summary]) {
      expect(text).not.toContain('\u{1b}');
      expect(text).not.toMatch(/^\s*::/m);
      expect(text).not.toContain('${{');
    }
  });

  it('annotates files of the repository only', async () => {
    const at = (file: string) => ({ ...failing('x', 'check', 'bad-yaml', 'm', 'h').diagnostics[0]!, file });
    const files = ['endpoints/x.yaml', '/etc/passwd', '../x', 'a/../../x', 'a//b', 'a\nb', ''];
    const { check } = await report({ files: both(makeReport([], { diagnostics: files.map(at) })) });
    expect(check?.annotations.map((a) => a['path'])).toEqual(['endpoints/x.yaml']);
  });

  it('leaves the comment to the run of a newer push', async () => {
    const { code, comment, check, log } = await report({
      files: both(makeReport([makeEndpoint('iris')])),
      seed: { pulls: [{ number: 7, head: { sha: 'c'.repeat(40) }, base: { sha: BASE } }] },
    });
    expect(code).toBe(0);
    expect(comment).toBeUndefined();
    expect(check?.sha).toBe(HEAD);
    expect(log).toContain('the run of the newest commit posts the comment');
  });

  it('stays green with the report in its summary when the token only reads', async () => {
    const { code, commands, summary, github } = await report({
      files: both(makeReport([makeEndpoint('iris')])),
      seed: { tokens: { [TOKEN]: { login: BOT, permissions: { 'pull-requests': 'read', contents: 'read' } } } },
    });
    expect(code).toBe(0);
    expect(commands).toEqual([
      '::notice::The token has no permission to write the comment and the check run; the report is in the job summary',
    ]);
    expect(summary).toContain('### 1 endpoint: 1 rolling');
    expect(github.world.comments).toEqual([]);
  });

  it('writes the check run also when the comment fails for good, and says so', async () => {
    const { code, commands, check } = await report({
      files: both(makeReport([makeEndpoint('iris')])),
      seed: { faults: [{ operation: 'addComment', status: 422, message: 'Body is too long', times: 99 }] },
    });
    expect(code).toBe(1);
    expect(check?.conclusion).toBe('success');
    expect(commands).toEqual([expect.stringContaining('::error::Cannot post the whole report: ')]);
  });

  it('says all and commits once also when GitHub falters', async () => {
    const faults = [
      { operation: 'pulls/get', status: 502, headers: { 'retry-after': '0' }, times: 2 },
      { operation: 'createCommitOnBranch', status: 0, done: true },
      { operation: 'addComment', status: 403, ...SECONDARY_LIMIT },
      { operation: 'checks/create', status: 429, headers: { 'retry-after': '1' } },
    ];
    const { code, github, comment, check, log } = await report({
      files: {
        ...both(makeReport([makeEndpoint('iris', { computed_lock: LOCK_SHA256, lock: 'missing' })])),
        'davit-validate/locks/iris.lock': LOCK,
      },
      inputs: { 'commit-locks': 'true' },
      seed: { faults },
    });
    expect(code, log).toBe(0);
    expect(github.world.commits).toHaveLength(1);
    expect(comment).toContain('### 1 endpoint: 1 rolling');
    expect(check).toMatchObject({ sha: github.world.commits[0]?.oid, conclusion: 'success' });
    expect(log).toMatch(/Sent \d+ requests to GitHub, [1-9]\d* of them retries/);
  });

  it.each([
    ['fails without the label', [], 'failure'],
    ['is fine with it', ['davit: destroy'], 'success'],
  ])('on a removal %s', async (_, labels, conclusion) => {
    const gone = makeEndpoint('iris', { change: 'removed', entities: [], previews: [deleted('iris')] });
    const { code, comment, check } = await report({
      files: both(makeReport([gone])),
      seed: { pulls: [{ number: 7, head: { sha: HEAD }, base: { sha: BASE }, labels }] },
    });
    expect(code).toBe(0);
    expect(check?.conclusion).toBe(conclusion);
    expect(comment?.includes('add the label')).toBe(conclusion === 'failure');
  });

  it('leaves the review and the rollouts of a closed pull request as they are: a label, a run that is started again', async () => {
    const pull = { number: 7, head: { sha: HEAD }, base: { sha: BASE } };
    const merged = `${REPORT_MARKER}\n<!-- davit:rollouts production -->\n\n### production: 1 live`;
    for (const closed of [
      { ...pull, mergedAs: ['e'.repeat(40)] },
      { ...pull, closed: true },
    ]) {
      const { code, commands, comment, github } = await report({
        files: both(makeReport([makeEndpoint('iris')])),
        seed: {
          pulls: [{ ...closed, labels: ['davit: destroy'] }],
          comments: [{ on: 7, login: BOT, body: merged }],
          checkRuns: [{ sha: HEAD, text: 'as reviewed' }],
        },
      });
      expect(code).toBe(0);
      expect(commands).toEqual([expect.stringContaining('::notice::Nothing to report: pull request #7 is closed')]);
      expect(comment).toBe(merged);
      expect(github.world.checkRuns.map((c) => c.text)).toEqual(['as reviewed']);
    }
  });

  it('of an older run that is started again says that it is out of date, as the branch has said before', async () => {
    const fingerprint = { digest: 'e'.repeat(64), parts: {} };
    const previews = [{ ...rolling('iris'), fingerprint }];
    const files = { 'environments/local.yaml': makeOid('local 1') };
    const program = { digest: '1'.repeat(64), commit: null, environments: 'base', files } as const;
    const contents = { [BASE]: { 'environments/local.yaml': 'local 1' } };
    const again = (text: string) => {
      const mark = { sha: HEAD, text, externalId: 'davit-outdated', conclusion: 'action_required' };
      const files = both(makeReport([makeEndpoint('iris', { previews })], { program }));
      const older = { sha: HEAD, text: 'older', externalId: 'davit-review' };
      return report({ files, seed: { contents, checkRuns: [older, mark] } });
    };
    const text = renderExpectation({ program: '2'.repeat(64), files: {} });
    const { check, comment } = await again(text);
    expect(check).toMatchObject({ conclusion: 'action_required', externalId: 'davit-outdated', text });
    expect(comment).toContain('🕓 **Out of date**');
    const takenBack = { 'environments/local.yaml': makeOid('local 2').slice(0, 12) };
    const met = await again(renderExpectation({ program: program.digest, files: takenBack }));
    expect(met.check).toMatchObject({ conclusion: 'success', externalId: 'davit-review' });
  });

  it.each<[string, Files, string]>([
    ['an environment', { 'environments/local.yaml': 'local 2' }, 'action_required'],
    ['the endpoint itself', { 'endpoints/iris.yaml': 'iris 3' }, 'action_required'],
    ['a file that the pull request also changes, in the same way', { 'endpoints/iris.yaml': 'iris 2' }, 'success'],
    ['another file', { 'environments/other.yaml': 'other 2' }, 'success'],
  ])('of a run during which the base branch changed %s', async (_, pushed, conclusion) => {
    const [merge, main] = ['c'.repeat(40), 'd'.repeat(40)] as const;
    const before: Files = { 'endpoints/iris.yaml': 'iris 1', 'environments/local.yaml': 'local 1' };
    const reviewed = { ...before, 'endpoints/iris.yaml': 'iris 2' };
    const files = Object.fromEntries(Object.entries(reviewed).map(([path, text]) => [path, makeOid(text)]));
    const program = { digest: '1'.repeat(64), commit: null, environments: 'base', files } as const;
    const previews = [{ ...rolling('iris'), fingerprint: { digest: 'e'.repeat(64), parts: {} } }];
    const { check, comment } = await report({
      files: both(makeReport([makeEndpoint('iris', { previews })], { program })),
      env: { GITHUB_SHA: merge },
      seed: {
        branches: { change: HEAD, main },
        contents: { [BASE]: before, [HEAD]: reviewed, [merge]: reviewed, [main]: { ...before, ...pushed } },
        mergeBases: { [main]: BASE, [HEAD]: BASE },
      },
    });
    const isCurrent = conclusion === 'success';
    expect(check).toMatchObject({ conclusion, externalId: isCurrent ? 'davit-review' : 'davit-outdated' });
    expect(comment?.includes('🕓 **Out of date**')).toBe(!isCurrent);
  });

  it.each([
    ['whose review was out of date', '2'.repeat(64)],
    ['that was never reviewed', undefined],
  ])('of more endpoints than a check run has room for is in the comment, and fails: a commit %s', async (_, mark) => {
    const fingerprint = { digest: 'e'.repeat(64), parts: {} };
    const names = Array.from({ length: 700 }, (__, i) => `endpoint-${i}`);
    const all = names.map((name) => makeEndpoint(name, { previews: [{ ...rolling(name), fingerprint }] }));
    const text = mark && renderExpectation({ program: mark, files: {} });
    const program = { digest: mark ?? '1'.repeat(64), commit: null, environments: 'base', files: {} } as const;
    const { code, comment, summary, commands } = await report({
      files: both(makeReport(all, { program })),
      seed: {
        checkRuns: text ? [{ sha: HEAD, text, externalId: 'davit-outdated', conclusion: 'action_required' }] : [],
      },
    });
    expect(code).toBe(1);
    for (const shown of [comment, summary]) expect(shown).toContain('### 700 endpoints: 700 rolling');
    expect(commands).toEqual([expect.stringContaining('Cannot store the fingerprints of 700 endpoints')]);
  });

  describe('of a cancelled run', () => {
    const REVIEW = { sha: HEAD, text: 'as reviewed', conclusion: 'success', externalId: 'davit-review' };
    const RUN = { pull_request: { number: 7, base: { sha: BASE }, head: { sha: HEAD } } };
    const cancel = (action: string, more: Case = {}, result: Files = { 'validate-result': 'cancelled' }) =>
      report({ event: { action, ...RUN }, ...more, inputs: { 'preview-result': 'cancelled', ...result } });

    it.each([
      ['validate', { 'validate-result': 'cancelled' }],
      ['preview', { 'validate-result': 'success' }],
    ])('leaves the review of the same commit: in %s', async (_, result) => {
      const { code, commands, comment, github } = await cancel(
        'synchronize',
        { seed: { checkRuns: [REVIEW] } },
        result,
      );
      expect({ code, comment }).toEqual({ code: 0, comment: undefined });
      expect(commands).toEqual([expect.stringContaining('an earlier run has reviewed the same commit')]);
      expect(github.world.checkRuns.map((c) => c.text)).toEqual(['as reviewed']);
    });

    it('says that it was cancelled where no run has reviewed the commit, its base branch or its label', async () => {
      for (const [action, checkRuns] of [
        ['synchronize', []],
        ['synchronize', [{ ...REVIEW, sha: BASE }]],
        ['synchronize', [{ ...REVIEW, conclusion: 'cancelled' }]],
        ['edited', [REVIEW]],
        ['unlabeled', [REVIEW]],
      ] as const) {
        const { check, comment } = await cancel(action, { seed: { checkRuns: [...checkRuns] } });
        expect([check?.conclusion, comment?.includes('was cancelled')], action).toEqual(['cancelled', true]);
      }
    });
  });

  it('succeeds without a preview where no endpoint changes, if GitHub lists all changed files', async () => {
    const skipped = { files: stage('validate', makeReport([])), inputs: { 'preview-result': 'skipped' } };
    const { comment, check } = await report({ ...skipped, seed: changed({ 'README.md': 'words' }) });
    expect(check).toMatchObject({ conclusion: 'success', title: 'No endpoint changes' });
    expect(comment).not.toContain('skipped');
    const many = Object.fromEntries(Array.from({ length: 301 }, (_, i) => [`a/${i}`, 'x']));
    for (const seed of [changed(many), IRIS_CHANGED]) {
      const { check: refused } = await report({ ...skipped, seed });
      expect(refused?.conclusion).toBe('failure');
    }
  });

  it('has its own comment and check run for each project of a repository', async () => {
    const { github } = await report({ files: both(makeReport([makeEndpoint('iris')])) });
    const [root] = github.world.comments;
    const { code, github: next } = await report({
      files: both(makeReport([failing('owl', 'check', 'bad-value', 'Cannot pin', 'Pin it')])),
      inputs: { project: 'services/fraud-->x' },
      seed: {
        comments: [{ on: 7, login: BOT, body: root!.body }],
        checkRuns: [{ sha: HEAD, text: 'of the root' }],
      },
      oneComment: false,
    });
    expect(code).toBe(0);
    expect(next.world.comments.map((c) => c.body.split('\n')[0])).toEqual([
      REPORT_MARKER,
      '<!-- davit:report v1 services/fraud%2D%2D%3Ex -->',
    ]);
    expect(next.world.comments[0]!.body).toBe(root!.body);
    expect(next.world.checkRuns.map((c) => [c.name, c.conclusion])).toEqual([
      ['davit', 'success'],
      ['davit (services/fraud-->x)', 'failure'],
    ]);
    expect(next.world.checkRuns[1]!.annotations).toMatchObject([{ path: 'services/fraud-->x/endpoints/owl.yaml' }]);
  });

  it('has nothing to say where there is no pull request', async () => {
    const { code, commands, comment } = await report({ event: {}, eventName: 'push' });
    expect({ code, comment }).toEqual({ code: 0, comment: undefined });
    expect(commands).toEqual(['::notice::Nothing to report: this run belongs to no open pull request']);
  });
});

const declare = (name: string, version = 1) =>
  `name: ${name}\nconfig:\n  served_entities:\n    - { entity_name: ${name}, entity_version: "${version}" }\n`;
const FILES: Files = {
  'endpoints/iris.yaml': declare('iris'),
  'endpoints/wine.yaml': declare('wine'),
  'models/wine/1/MLmodel': 'flavors: {}\n',
  'environments/local.yaml': 'name: local\ntarget: local\n',
};
const WITHOUT_WINE = Object.fromEntries(Object.entries(FILES).filter(([path]) => !path.endsWith('wine.yaml')));
/** The contents of base and head, where the head has these files too. */
const changed = (files: Files, before = FILES) => ({ contents: { [BASE]: before, [HEAD]: { ...before, ...files } } });
const IRIS_CHANGED = changed({ 'endpoints/iris.yaml': declare('iris', 2) });

describe('what GitHub lists and no stage reports', () => {
  it.each<[string, Partial<Seed>, Files, readonly string[]]>([
    ['its file', IRIS_CHANGED, {}, ['iris']],
    ['its lock', changed({ 'endpoints/wine.lock': '{}' }), {}, ['wine']],
    ['its model', changed({ 'models/wine/1/model.pkl': 'x' }), {}, ['wine']],
    ['an environment', changed({ 'environments/local.yaml': 'name: local\n' }), {}, ['iris', 'wine']],
    [
      'an environment under review',
      changed({ 'environments/local.yaml': '' }),
      { environments: 'local' },
      ['iris', 'wine'],
    ],
    ['another environment', changed({ 'environments/local.yaml': '' }), { environments: 'production' }, []],
    ['a removal', { contents: { [BASE]: FILES, [HEAD]: WITHOUT_WINE } }, {}, ['wine']],
    ['a file below', changed({ 'endpoints/old/x.yaml': 'x', 'docs/endpoints/x.yaml': 'x' }), {}, []],
    ['a file that is no YAML', changed({ 'endpoints/fox.yaml': '[', 'models/wine/2/x': '' }), {}, ['fox']],
  ])('is shown as not reviewed and fails the check: %s', async (_, seed, inputs, missing) => {
    const { code, comment, check, log } = await report({ files: both(makeReport([])), seed, inputs });
    expect(code, log).toBe(0);
    expect([...(comment ?? '').matchAll(/^\| ❔ \| `(\w+)`/gm)].map((m) => m[1])).toEqual(missing);
    expect(check?.conclusion).toBe(missing.length === 0 ? 'success' : 'failure');
    if (missing.length > 0) expect(comment).toContain('the run has not reported on it');
  });

  it('is no more than what the run is about, when the run reports on it', async () => {
    const { check } = await report({ files: both(makeReport([makeEndpoint('iris')])), seed: IRIS_CHANGED });
    expect(check?.conclusion).toBe('success');
  });

  it('is not missing when the base branch has it already', async () => {
    const main = 'f'.repeat(40);
    const { contents } = IRIS_CHANGED;
    const { check, comment } = await report({
      files: both(makeReport([])),
      seed: {
        contents: { ...contents, [main]: { ...contents[HEAD], 'README.md': 'newer' } },
        mergeBases: { [HEAD]: BASE },
        branches: { main, change: HEAD },
      },
    });
    expect([check?.conclusion, comment?.split('\n')[1]]).toEqual(['success', '### No endpoint changes']);
  });

  it('is looked for in the folder of the project', async () => {
    const files = Object.fromEntries(Object.entries(FILES).map(([path, text]) => [`services/fraud/${path}`, text]));
    const seed = changed({ 'services/fraud/models/wine/1/MLmodel': 'x', 'endpoints/iris.yaml': 'x' }, files);
    const { comment } = await report({ files: both(makeReport([])), seed, inputs: { project: 'services/fraud' } });
    expect(comment).toContain('### 1 endpoint: 1 not reviewed');
    expect(comment).toContain('`wine`');
  });
});

describe("report on a fork's run", () => {
  const pull = { number: 7, head: { sha: HEAD, ref: 'patch-1', repository: 'stranger/models' }, base: { sha: BASE } };
  const workflow_run = {
    event: 'pull_request',
    conclusion: 'failure',
    head_sha: HEAD,
    head_branch: 'patch-1',
    head_repository: { owner: { login: 'stranger' } },
    html_url: 'https://github.com/octo/models/actions/runs/1',
    pull_requests: [],
  };
  const event = { workflow_run, repository: { full_name: 'octo/models', default_branch: 'main' } };
  const fork = (more: Case = {}) =>
    report({
      files: stage('validate', makeReport([makeEndpoint('iris', { previews: [] })])),
      inputs: { 'validate-result': 'timed_out', 'preview-result': 'skipped', 'commit-locks': 'true' },
      eventName: 'workflow_run',
      event,
      ...more,
      seed: { pulls: [pull], ...IRIS_CHANGED, ...more.seed },
    });
  const README = changed({ 'README.md': 'words', '.github/workflows/x.yaml': 'on: push' });

  it('finds the pull request by what GitHub says, never by the artifact', async () => {
    const lying = makeReport([makeEndpoint('iris', { previews: [] })], {
      head: 'd'.repeat(40),
      pull_request: { number: 1, fork: false, destroy: true, locks_commit: null, base_moved_to: null, run_url: null },
    });
    const { code, comment, check, github } = await fork({ files: stage('validate', lying) });
    expect(code).toBe(0);
    expect(comment).toContain("### 1 endpoint: 1 proved by the fork's own run");
    expect(github.world.comments[0]?.on).toBe(7);
    expect(check).toMatchObject({ sha: HEAD, conclusion: 'action_required', details: workflow_run.html_url });
  });

  it('shows what the fork says as its claim, and lets the check succeed by none of it', async () => {
    const { comment, check } = await fork({ inputs: { 'validate-result': 'success', 'preview-result': 'skipped' } });
    expect(comment).toContain("**Reported by the fork's own run**");
    expect(comment).toContain('git fetch origin pull/7/head:fork-7 && git push origin fork-7');
    expect(comment).toMatch(/\| `iris` \| changed \| the fork says: proved/);
    expect(comment).toContain("The fork's own run reports: Model");
    expect(check).toMatchObject({ conclusion: 'action_required', text: null });
    const wrong = failing('iris', 'check', 'bad-value', 'Cannot pin', 'Pin it');
    const failed = await fork({ files: stage('validate', makeReport([wrong])) });
    expect(failed.check?.conclusion).toBe('failure');
    expect(failed.check?.annotations).toMatchObject([{ message: /^Reported by the fork's own run: Cannot pin/ }]);
  });

  it.each([
    ['nothing', makeReport([])],
    ['another endpoint', makeReport([makeEndpoint('owl', { previews: [] })])],
    ['that nothing of it changed', makeReport([makeEndpoint('wine', { change: 'asked', because: [], previews: [] })])],
  ])('shows an endpoint that GitHub lists as not reviewed when the fork reports %s', async (_, claims) => {
    const { comment, check } = await fork({ files: stage('validate', claims) });
    expect(comment).toContain('### 1 endpoint: 1 not reviewed');
    expect(comment).toMatch(/^\| ❔ \| `iris`/m);
    expect(comment).not.toMatch(/`owl`|`wine`/);
    expect(check?.conclusion).toBe('failure');
  });

  it('succeeds where GitHub lists no change of an endpoint, in a pull request to the default branch alone', async () => {
    const files = stage('validate', makeReport([]));
    const to = (ref: string, number = 7) => ({ ...pull, number, base: { sha: BASE, ref } });
    const conclude = async (pulls: Seed['pulls'], more: Case = {}) =>
      (await fork({ files, ...more, seed: { ...README, pulls, ...more.seed } })).check?.conclusion;
    expect(await conclude([to('main')])).toBe('success');
    expect(await conclude([to('fork-7')])).toBe('action_required');
    expect(await conclude([to('main')], { event: { workflow_run } })).toBe('action_required');
    expect(await conclude([to('fork-7'), to('main', 8)])).toBe('success');
    const main = 'f'.repeat(40);
    const contents = { ...README.contents, [main]: { ...FILES, 'endpoints/wine.yaml': 'x' } };
    const both = { contents, branches: { main, 'fork-7': BASE } };
    expect(await conclude([to('fork-7'), to('main', 8)], { seed: both })).toBe('failure');
  });

  it('treats the run of Dependabot, in a branch of the repository, in the same way', async () => {
    const own = { ...pull, head: { sha: HEAD, ref: 'dependabot/pip/numpy-2' } };
    const actor = { login: 'dependabot[bot]' };
    const run = { ...workflow_run, actor, head_branch: own.head.ref, head_repository: { owner: { login: 'octo' } } };
    const bot = (more: Case = {}) =>
      fork({ event: { ...event, workflow_run: run }, ...more, seed: { pulls: [own], ...more.seed } });
    const pins = await bot({ files: stage('validate', makeReport([])), seed: { pulls: [own], ...README } });
    expect(pins.check).toMatchObject({ conclusion: 'success', text: null, title: 'No endpoint changes' });
    expect(pins.comment).not.toContain('Dependabot');
    const { comment, check, github } = await bot({
      files: { ...both(makeReport([makeEndpoint('iris', { computed_lock: LOCK_SHA256, lock: 'missing' })])) },
    });
    expect(check).toMatchObject({ conclusion: 'failure', text: null, externalId: 'davit-fork' });
    expect(comment).toContain('**Reported by a run that Dependabot started.**');
    expect(comment).not.toMatch(/fork/);
    expect(github.world.commits).toEqual([]);
    const proved = await bot();
    expect(proved.check?.conclusion).toBe('action_required');
    expect(proved.comment).toContain('### 1 endpoint: 1 proved, not previewed');
    const person = await bot({ event: { ...event, workflow_run: { ...run, actor: { login: 'octocat' } } } });
    expect(person.check, 'a run of a person is no such run').toMatchObject({ externalId: 'davit-review' });
  });

  it('does not succeed when GitHub does not list all changed files', async () => {
    const many = Object.fromEntries(Array.from({ length: 301 }, (_, i) => [`a/${i}`, 'x']));
    const seed = changed({ ...many, 'endpoints/iris.yaml': declare('iris', 2) });
    const { comment, check } = await fork({ files: stage('validate', makeReport([])), seed });
    expect(comment).toContain('**GitHub does not list all files');
    expect(check?.conclusion).toBe('action_required');
  });

  it("keeps the check run of this repository's own run of the same commit", async () => {
    const own = { sha: HEAD, text: 'as reviewed', conclusion: 'success', externalId: 'davit-review' };
    const { github, log } = await fork({ seed: { checkRuns: [own] } });
    expect(github.world.checkRuns.map((c) => [c.conclusion, c.text])).toEqual([['success', 'as reviewed']]);
    expect(log).toContain('its check run stays');
    for (const externalId of ['davit-fork', 'a job of the fork that is named davit']) {
      const { check } = await fork({ seed: { checkRuns: [{ ...own, externalId }] } });
      expect(check?.conclusion).toBe('action_required');
    }
  });

  it('does not succeed with files below .davit/', async () => {
    const seed = changed({ '.davit/images/1-2/model/model/MLmodel': 'x', '.davit/passphrase': 'x' });
    const { comment, check } = await fork({ files: stage('validate', makeReport([])), seed });
    expect(check?.conclusion).toBe('failure');
    expect(comment).toContain('a repository must not contain .davit/');
  });

  it('commits nothing to a fork', async () => {
    const { github } = await fork({
      files: {
        ...both(makeReport([makeEndpoint('iris', { computed_lock: LOCK_SHA256, lock: 'missing' })])),
        'davit-validate/locks/iris.lock': LOCK,
      },
    });
    expect(github.world.commits).toEqual([]);
  });

  it('says nothing when the branch has moved on or is closed', async () => {
    for (const other of [
      { ...pull, head: { ...pull.head, sha: 'c'.repeat(40) } },
      { ...pull, closed: true },
    ]) {
      const { code, github } = await fork({ seed: { pulls: [other] } });
      expect(code).toBe(0);
      expect([github.world.comments, github.world.checkRuns]).toEqual([[], []]);
    }
  });
});

describe('locks', () => {
  const previewed = (name = 'iris', sha256 = LOCK_SHA256) =>
    both(makeReport([makeEndpoint(name, { computed_lock: sha256, lock: 'missing' })]));
  const commitLocks = (files: Files, more: Case = {}) => report({ files, inputs: { 'commit-locks': 'true' }, ...more });

  it('that validate made are committed to the branch, and the check run is on the new commit', async () => {
    const { code, github, comment, check } = await commitLocks({
      ...previewed(),
      'davit-validate/locks/iris.lock': LOCK,
    });
    expect(code).toBe(0);
    expect(github.world.commits).toEqual([
      expect.objectContaining({ headline: 'Lock iris', parents: [HEAD], files: { 'endpoints/iris.lock': LOCK } }),
    ]);
    expect(check).toMatchObject({ sha: github.world.commits[0]?.oid, conclusion: 'success' });
    expect(comment).toContain('### 1 endpoint: 1 rolling');
    expect(comment).toMatch(/Other required checks wait at that commit.*\*\*Approve workflows to run\*\*/);
  });

  it('are committed with the token for commits, which does nothing else and is masked', async () => {
    const permissions = { contents: 'write' } as const;
    const tokens = {
      [TOKEN]: { login: BOT, permissions: { ...WRITES, contents: 'read' } },
      app: { login: 'acme-davit[bot]', permissions },
    } as const;
    const { github, comment, log } = await report({
      files: { ...previewed(), 'davit-validate/locks/iris.lock': LOCK },
      inputs: { 'commit-locks': 'true', 'commit-token': 'app' },
      seed: { tokens },
    });
    expect(github.world.commits).toMatchObject([{ headline: 'Lock iris' }]);
    expect(comment).toContain('committed to this branch');
    expect(comment).not.toContain('checks wait');
    expect(github.world.comments[0]?.author.login).toBe(BOT);
    expect(log.split('\n').filter((line) => /\bapp\b/.test(line))).toEqual(['::add-mask::app']);
  });

  it("are committed with the job's own token when GitHub refuses the one for commits", async () => {
    const { code, github, comment, log } = await report({
      files: { ...previewed(), 'davit-validate/locks/iris.lock': LOCK },
      inputs: { 'commit-locks': 'true', 'commit-token': 'expired' },
    });
    expect(code).toBe(0);
    expect(github.world.commits).toMatchObject([{ headline: 'Lock iris' }]);
    expect(comment).toContain('Other required checks wait at that commit');
    expect(log).toMatch(/GitHub refuses "commit-token", using the job's own token: .* 401/);
  });

  it('are committed only where the workflow wants it', async () => {
    const { github, comment } = await report({ files: { ...previewed(), 'davit-validate/locks/iris.lock': LOCK } });
    expect(github.world.commits).toEqual([]);
    expect(comment).toContain('### 1 endpoint: 1 without its lock');
  });

  const remarked = `${LOCK}# approved\n`;
  const inFolder = (name: string, text: string): Files => ({ [`davit-validate/locks/${name}`]: text });

  it.each<{ readonly what: string; readonly files: Files; readonly prepare?: (reports: string) => void }>([
    {
      what: 'the preview has not seen',
      files: { ...stage('validate', makeReport([])), ...inFolder('iris.lock', LOCK) },
    },
    {
      what: 'are not those previewed',
      files: { ...previewed('iris', '0'.repeat(64)), ...inFolder('iris.lock', LOCK) },
    },
    { what: 'are of another endpoint', files: { ...previewed('other'), ...inFolder('other.lock', LOCK) } },
    {
      what: 'have a remark in them',
      files: { ...previewed('iris', digest(remarked)), ...inFolder('iris.lock', remarked) },
    },
    {
      what: 'are called otherwise',
      files: { ...previewed(), ...inFolder('x iris.lock', LOCK), ...inFolder('.iris.lock', LOCK) },
    },
    {
      what: 'are links',
      files: previewed(),
      prepare: (folder) => {
        writeFileSync(join(folder, 'real.lock'), LOCK);
        mkdirSync(join(folder, 'davit-validate', 'locks'));
        symlinkSync(join(folder, 'real.lock'), join(folder, 'davit-validate', 'locks', 'iris.lock'));
      },
    },
  ])('that $what are left alone', async ({ files, prepare }) => {
    const { code, github } = await commitLocks(files, prepare && { prepare });
    expect(code).toBe(0);
    expect(github.world.commits).toEqual([]);
  });

  it('wait for the next run when somebody pushes in between', async () => {
    const { code, github, check, log } = await commitLocks(
      { ...previewed(), 'davit-validate/locks/iris.lock': LOCK },
      { seed: { branches: { change: 'c'.repeat(40) } } },
    );
    expect(code).toBe(0);
    expect(github.world.commits).toEqual([]);
    expect(check?.sha).toBe(HEAD);
    expect(log).toContain('the next run commits the locks');
  });
});
