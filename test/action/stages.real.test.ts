// A pull request through all three commands of the bundle: real models, the real engine, a GitHub in memory.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseReviewedPlans } from '../../review/reviewed-plans.ts';
import type { Sbom } from '../../images/make-sbom.ts';
import { parseReport } from '../../schemas/report/report.ts';
import { codePath } from '../../system/code.ts';
import { type FakeGitHub, startFakeGitHub } from './github/fake/server.ts';
import { commit, makeWorkspace, runStep, type StepResult, TOKEN, writeFiles } from './run-action.ts';

const PERMISSIONS = { checks: 'write', contents: 'write', 'pull-requests': 'write' } as const;
const FIXTURES = codePath('test', 'fixtures', 'models');
/** Said by a model when it is loaded: to the runner, and to whoever reads the log. */
const SAID = [
  '::set-output name=endpoints::[]',
  '::add-mask::iris',
  '##[error]spoofed',
  '::stop-commands::x',
  '\u{1b}[2J',
];

let base = '';
let workspace = '';
let checkout = '';
let outside = '';
let github: FakeGitHub;
let results: Readonly<Record<'validate' | 'preview' | 'report', StepResult>>;

beforeAll(async () => {
  base = makeBase();
  const from = await makePullRequest();
  github = await startFakeGitHub({
    repository: 'octo/models',
    tokens: { [TOKEN]: { login: 'github-actions[bot]', permissions: PERMISSIONS } },
    pulls: [{ number: 7, head: { sha: from.head }, base: { sha: from.base } }],
    branches: { change: from.head },
  });
  results = await runStages(from);
});

afterAll(async () => {
  await github.close();
  for (const folder of [base, workspace, checkout, outside]) await rm(folder, { recursive: true, force: true });
});

function makeBase(): string {
  return makeWorkspace({ '.gitignore': '.davit/\n' });
}

/** Adds the environment, an endpoint without a lock, one whose model talks to the runner, and one whose file is a link out of the checkout. */
async function makePullRequest() {
  const before = commit(base);
  checkout = await mkdtemp(join(tmpdir(), 'davit-checkout-'));
  await cp(base, checkout, { recursive: true });
  writeFiles(checkout, {
    'endpoints/iris.yaml': declare('iris', 'iris', '2'),
    'endpoints/loud.yaml': declare('loud', 'loud', '1'),
    'environments/local.yaml': 'name: local\ntarget: local\n',
  });
  await mkdir(join(checkout, 'models', 'iris'), { recursive: true });
  await cp(codePath('models', 'iris', '2'), join(checkout, 'models', 'iris', '2'), { recursive: true });
  const loud = join(checkout, 'models', 'loud', '1');
  await cp(join(FIXTURES, 'b_pyfunc_code'), loud, { recursive: true, filter: (f) => !f.endsWith('__pycache__') });
  const code = join(loud, 'code', 'helperpkg', '__init__.py');
  const lines = SAID.map(
    (line) => `print(${JSON.stringify(line)}, flush=True); print(${JSON.stringify(line)}, file=sys.stderr, flush=True)`,
  );
  await writeFile(code, `${readFileSync(code, 'utf8')}\nimport sys\n${lines.join('\n')}\n`);
  outside = await mkdtemp(join(tmpdir(), 'davit-outside-'));
  await writeFile(join(outside, 'outside.yaml'), 'name: secret-of-the-runner\n');
  await symlink(join(outside, 'outside.yaml'), join(checkout, 'endpoints', 'linked.yaml'));
  return { base: before, head: commit(checkout) };
}

function declare(endpoint: string, model: string, version: string): string {
  return `name: ${endpoint}\nconfig:\n  served_entities:\n    - name: ${endpoint}\n      entity_name: ${model}\n      entity_version: "${version}"\n`;
}

/** As the workflow does it: each job in a checkout of its own, with what the ones before have handed over. */
async function runStages(from: { readonly base: string; readonly head: string }) {
  const event = { pull_request: { number: 7, base: { sha: from.base }, head: { sha: from.head } } };
  const validate = await runStep({ inputs: { command: 'validate' }, workspace: checkout, event });
  workspace = await mkdtemp(join(tmpdir(), 'davit-workspace-'));
  const handed = (stage: string) => join(workspace, 'reports', `davit-${stage}`);
  await cp(validate.outputs['folder'] ?? '', handed('validate'), { recursive: true });
  await cp(checkout, join(base, '.davit', 'pull-request'), { recursive: true, verbatimSymlinks: true });
  const preview = await runStep({
    inputs: { command: 'preview', environments: 'local', validated: handed('validate') },
    workspace: base,
    event,
  });
  await cp(preview.outputs['folder'] ?? '', handed('preview'), { recursive: true });
  const report = await runStep({
    inputs: {
      command: 'report',
      'validate-result': validate.code === 0 ? 'success' : 'failure',
      'preview-result': preview.code === 0 ? 'success' : 'failure',
      'preview-digest': preview.outputs['digest'] ?? '',
      'commit-locks': 'true',
      'github-token': TOKEN,
    },
    workspace,
    event,
    env: { GITHUB_API_URL: github.url },
  });
  return { validate, preview, report };
}

it('validate proves with locks that it makes, and no word of a model reaches the runner', () => {
  const { code, commands, outputs, log } = results.validate;
  expect(code).toBe(1);
  expect(commands).toEqual([
    expect.stringMatching(/^::error title=unreadable-file,file=endpoints\/linked\.yaml,/),
    '::error::3 endpoints: 1 fails, 2 without their locks',
  ]);
  expect(log).not.toContain('secret-of-the-runner');
  expect(JSON.parse(outputs['endpoints'] ?? '')).toEqual(['iris', 'linked', 'loud']);
  const { endpoints } = parseReport(readFileSync(join(outputs['folder']!, 'report.json'), 'utf8'));
  expect(endpoints.map((e) => [e.endpoint, e.lock, e.entities.every((x) => x.proof !== null)])).toEqual([
    ['iris', 'missing', true],
    ['linked', 'unknown', true],
    ['loud', 'missing', true],
  ]);
});

it('validate hands over a bill of materials of each entity that it has validated', () => {
  const folder = join(results.validate.outputs['folder']!, 'sboms');
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((e) => (e.isFile() ? [e] : []));
  expect(files.map((e) => join(e.parentPath, e.name).slice(folder.length + 1)).toSorted()).toEqual([
    'iris/iris.cdx.json',
    'loud/loud.cdx.json',
  ]);
  const sbom = JSON.parse(readFileSync(join(folder, 'iris', 'iris.cdx.json'), 'utf8')) as Sbom;
  const lock = readFileSync(join(results.validate.outputs['folder']!, 'locks', 'iris.lock'), 'utf8');
  const [model] = sbom.components;
  expect([sbom.bomFormat, model?.name, model?.version]).toEqual(['CycloneDX', 'iris', '2']);
  expect(lock).toContain(model?.hashes?.[0]?.content);
});

it("preview shows what a merge makes, by the release's program and with the environment that the merge adds", () => {
  const { code, commands, summary } = results.preview;
  expect({ code, commands }).toEqual({ code: 0, commands: [] });
  expect(summary).toContain('+ create Route iris');
  expect(summary).toContain('`environments/local.yaml` changes in this pull request, and with it every endpoint there');
  expect(spawnSync('git', ['-C', base, 'status', '--short'], { encoding: 'utf8' }).stdout).toBe('');
});

it('report commits the locks, comments, and keeps the fingerprints on the new commit', () => {
  const { code, commands } = results.report;
  expect({ code, commands }).toEqual({ code: 0, commands: [] });
  const [made] = github.world.commits;
  expect(Object.keys(made?.files ?? {})).toEqual(['endpoints/iris.lock', 'endpoints/loud.lock']);
  const [comment] = github.world.comments;
  expect(comment?.body).toContain('### 3 endpoints: 1 fails, 2 new');
  expect(comment?.body).not.toMatch(/secret-of-the-runner|^\s*::/m);
  const [check] = github.world.checkRuns;
  expect(check).toMatchObject({ sha: made?.oid, conclusion: 'failure' });
  const reviewed = parseReviewedPlans(check?.text ?? '');
  expect(reviewed?.find('iris', 'local')?.digest).toMatch(/^[0-9a-f]{64}$/);
  expect(reviewed?.find('linked', 'local')).toBeUndefined();
  expect(github.breaches).toEqual([]);
});
