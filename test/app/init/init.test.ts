import { execFileSync } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { parse } from 'yaml';
import { runChecks } from '../../../app/doctor/check.ts';
import { apiAddress, findGithubRepository, parseRemote, readGithubToken } from '../../../app/init/github-repository.ts';
import { checkGithubSettings } from '../../../app/init/github-settings.ts';
import { initProject } from '../../../app/init/init-project.ts';
import { findDefaultBranch, findProjectInRepository } from '../../../app/init/repository-folders.ts';
import { listKubernetesEnvironments } from '../../../app/init/list-kubernetes-environments.ts';
import { type InitAnswers, PLACEHOLDERS, planFiles } from '../../../app/init/plan-files.ts';
import { adaptToEnterpriseServer } from '../../../app/init/enterprise-server.ts';
import { parseEnvironmentNames } from '../../../app/init/environment-names.ts';
import { readDocumentedFiles } from '../../../app/init/documented-files.ts';
import { readModelAnswer } from '../../../app/init/read-model-answer.ts';
import { endpointFile } from '../../../schemas/endpoint/endpoint-file.ts';
import { parseEndpoint } from '../../../schemas/endpoint/parse-endpoint.ts';
import { parseEnvironment } from '../../../schemas/environment/environment.ts';
import { formatYaml } from '../../../schemas/yaml/format-yaml.ts';

const ANSWERS: InitAnswers = {
  endpoint: {
    name: 'iris',
    model: { name: 'main.ml.iris', version: '2', uri: 'models:/main.ml.iris/2' },
    schema: '../node_modules/davit/schemas/endpoint.schema.json',
  },
  environments: ['dev', 'test', 'live'],
  registry: 'ghcr.io/acme/models',
  state: 'gs://acme',
  cloud: 'google',
  branch: 'trunk',
  release: `acme/davit@${'a'.repeat(40)}`,
  project: '',
  enterpriseServer: false,
};

let root = '';
let server: Server | undefined;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'davit-init-'));
  await mkdir(join(root, 'models/iris/2'), { recursive: true });
  await mkdir(join(root, 'elsewhere/my model'), { recursive: true });
  await writeFile(join(root, 'models/iris/2/MLmodel'), '');
  await writeFile(join(root, 'elsewhere/my model/MLmodel'), '');
  execFileSync('git', ['init', '-q', '-b', 'trunk', root]);
});
afterAll(async () => {
  server?.close();
  vi.unstubAllEnvs();
  await rm(root, { recursive: true });
});

test('planFiles() makes an endpoint and environments that davit check accepts, and canonical ones', async () => {
  const files = new Map(planFiles(ANSWERS, await readDocumentedFiles()).map((f) => [f.path, f.text]));
  const endpoint = files.get('endpoints/iris.yaml')!;
  expect(parseEndpoint(endpoint, 'endpoints/iris.yaml').diagnostics).toEqual([]);
  expect(parseEndpoint(endpoint, 'endpoints/iris.yaml').endpoint?.entities[0]?.model).toEqual(ANSWERS.endpoint?.model);
  expect(formatYaml(endpoint, endpointFile)).toBe(endpoint);
  for (const name of ANSWERS.environments) {
    const path = `environments/${name}.yaml`;
    expect(parseEnvironment(files.get(path)!, path).diagnostics).toEqual([]);
  }
});

test('planFiles() adapts every documented workflow to the environments, the state, the branch and the release', async () => {
  const files = planFiles(ANSWERS, await readDocumentedFiles()).filter((f) => f.path.startsWith('.github/'));
  expect(files).toHaveLength(7);
  for (const { text } of files) {
    expect(text).not.toMatch(/staging|production|acme-davit-state|OWNER|0{40}|\[main\]|configure-aws/);
    expect(parse(text)).toBeTypeOf('object');
  }
  const deploy = parse(files.find((f) => f.path.endsWith('davit-deploy.yaml'))!.text) as {
    readonly jobs: Readonly<
      Record<string, { readonly needs?: string; readonly with?: Readonly<Record<string, unknown>> }>
    >;
  };
  expect(
    Object.entries(deploy.jobs).map(([name, job]) => [name, job.needs, job.with?.['after'], job.with?.['revert']]),
  ).toEqual([
    ['warm', undefined, undefined, undefined],
    ['dev', undefined, undefined, undefined],
    ['test', 'dev', 'dev', undefined],
    ['live', 'test', 'test', true],
  ]);
});

test('planFiles() names any branch, also one with characters of patterns and of YAML', async () => {
  for (const branch of ['trunk', 'release/1.x', 'on', '2.10', 'c++', '#next', 'a, b']) {
    const files = planFiles({ ...ANSWERS, branch }, await readDocumentedFiles());
    const [text] = files.flatMap((f) => (f.path.endsWith('davit-deploy.yaml') ? [f.text] : []));
    const { on } = parse(text!) as { readonly on: { readonly push: { readonly branches: readonly string[] } } };
    expect(on.push.branches.map((b) => b.replaceAll('\\', ''))).toEqual([branch]);
  }
});

test('adaptToEnterpriseServer() calls copies of the workflows, without what the server does not know', async () => {
  const documented = await adaptToEnterpriseServer(await readDocumentedFiles());
  const planned = planFiles({ ...ANSWERS, project: 'services/fraud' }, documented);
  const workflows = new Map(planned.filter((f) => f.path.includes('workflows/')).map((f) => [f.path, f.text]));
  const called = [...workflows.keys()].filter((path) => path.includes('/davit-called-'));
  expect(called.length).toBeGreaterThan(4);
  expect([...workflows.keys()].filter((path) => path.includes('fork'))).toEqual([]);
  for (const [path, text] of workflows) {
    expect(text, path).not.toMatch(
      /\$\/|queue: max|attest.*: write|attest-build-provenance|OWNER|0{40}|-artifact@(?!\w+ # v3)/,
    );
    expect(parse(text)).toBeTypeOf('object');
    for (const [, target = ''] of text.matchAll(/uses: \.\/(\.github\/workflows\/\S+)/g))
      expect(called).toContain(target);
    if (called.includes(path)) expect(text).toContain(`uses: acme/davit/action@${'a'.repeat(40)}`);
    else expect(text).not.toContain('acme/davit');
  }
  // Who calls a workflow grants what it asks for.
  const jobs = (text: string) =>
    Object.values(
      (parse(text) as { readonly jobs: Record<string, { uses?: string; permissions: Record<string, string> }> }).jobs,
    );
  for (const job of [...workflows.values()].flatMap(jobs)) {
    if (job.uses === undefined) continue;
    const asked = Object.assign({}, ...jobs(workflows.get(job.uses.slice(2))!).map((j) => j.permissions)) as object;
    expect(Object.keys(job.permissions).sort()).toEqual(Object.keys(asked).sort());
  }
});

test('initProject() writes what is not there, and a second time changes nothing', async () => {
  const first = await initProject(root, ANSWERS);
  expect(new Set(first.files.map((f) => f.state))).toEqual(new Set(['written']));
  expect(first.left.join('\n')).toMatch(
    /davit lock iris[^]*digests[^]*workload identity pool[^]*up _platform --env dev && [^]*\nPush everything except endpoints\/ to trunk/,
  );
  await writeFile(join(root, 'environments/dev.yaml'), 'name: dev\ntarget: local\n');
  const second = await initProject(root, { ...ANSWERS, cloud: 'aws' });
  expect(new Set(second.files.map((f) => f.state))).toEqual(new Set(['exists']));
  const placeholders = [
    expect.stringMatching(
      /^Replace the digests of the images in environments\/(test|live).yaml, environments\/(test|live).yaml, /,
    ),
    expect.stringMatching(/^Replace the workload identity pool/),
  ];
  expect(second.left).toEqual(placeholders);
  expect((await initProject(root, { ...ANSWERS, environments: [] })).left, 'of files not planned').toEqual(
    placeholders,
  );
  const third = await initProject(root, { ...ANSWERS, environments: [...ANSWERS.environments, 'eu'] });
  expect(third.left).toContain('Add eu to .github/workflows/davit-deploy.yaml, which exists without it');
  expect(await readFile(join(root, 'environments/dev.yaml'), 'utf8')).toContain('target: local');
  expect(await findDefaultBranch(root)).toBe('trunk');
  expect(await listKubernetesEnvironments({ root, endpoints: 'endpoints' })).toEqual({
    names: ['test', 'live', 'eu'],
    unreadable: [],
    all: ['test', 'live', 'eu'],
  });
  await writeFile(join(root, 'environments/live.yaml'), 'name: [\n');
  const { names, unreadable, all } = await listKubernetesEnvironments({ root, endpoints: 'endpoints' });
  expect([names, unreadable, all]).toEqual([['test', 'eu'], ['live'], ['test', 'live', 'eu']]);
});

test('findDefaultBranch() does not take the branch of a change for the one that is deployed', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'davit-branch-'));
  const git = (...args: readonly string[]) => execFileSync('git', args, { cwd: folder, encoding: 'utf8' }).trim();
  git('init', '--quiet', '--initial-branch', 'feature');
  expect(await findDefaultBranch(folder)).toBe('feature');
  const tree = execFileSync('git', ['mktree'], { cwd: folder, encoding: 'utf8', input: '' }).trim();
  const commit = git('-c', 'user.name=a', '-c', 'user.email=a@b', 'commit-tree', '-m', 'a', tree);
  git('update-ref', 'refs/heads/feature', commit);
  git('update-ref', 'refs/remotes/origin/master', commit);
  expect(await findDefaultBranch(folder)).toBe('master');
  git('symbolic-ref', 'refs/remotes/origin/HEAD', 'refs/remotes/origin/trunk');
  expect(await findDefaultBranch(folder)).toBe('trunk');
  await rm(folder, { recursive: true });
});

test('initProject() keeps node_modules/ out of Git, unless a .gitignore is there', async () => {
  const other = await mkdtemp(join(root, 'modules-'));
  const write = async () => (await initProject(other, { ...ANSWERS, environments: [] })).files.map((f) => f.path);
  expect(await write()).toEqual(['endpoints/iris.yaml']);
  await mkdir(join(other, 'node_modules'));
  expect(await write()).toEqual(['endpoints/iris.yaml', '.gitignore']);
  expect(await readFile(join(other, '.gitignore'), 'utf8')).toBe('node_modules/\n');
  expect(await write()).toEqual(['endpoints/iris.yaml']);
});

test('initProject() names what nobody answered, and keeps a link that leads nowhere', async () => {
  const other = await mkdtemp(join(root, 'placeholders-'));
  await mkdir(join(other, 'environments'));
  await symlink('nowhere', join(other, 'environments/dev.yaml'));
  const { files, left } = await initProject(other, { ...ANSWERS, ...PLACEHOLDERS });
  expect(files.find((f) => f.path === 'environments/dev.yaml')?.state).toBe('exists');
  expect(left.join('\n')).toMatch(
    /Replace ghcr\.io\/OWNER\/models in environments\/test\.yaml[^]*Replace s3:\/\/BUCKET in /,
  );
});

test('the workflows of a project in a folder are at the root of the repository, with names of their own', async () => {
  const folder = join(root, 'services/fraud');
  await mkdir(folder, { recursive: true });
  const project = await findProjectInRepository(folder);
  expect(project).toBe('services/fraud');
  const { files } = await initProject(folder, { ...ANSWERS, project, cloud: 'none' });
  const workflows = files.map((f) => f.path).filter((path) => path.includes('.github'));
  expect(workflows).toContain('../../.github/workflows/davit-services-fraud-deploy.yaml');
  for (const path of workflows) {
    const text = await readFile(join(folder, path), 'utf8');
    const { name, jobs } = parse(text) as { readonly name: string; readonly jobs: Readonly<Record<string, object>> };
    expect(name).toMatch(/^Davit .+ \(services\/fraud\)$/);
    for (const job of Object.values(jobs)) expect(job).toMatchObject({ with: { project: 'services/fraud' } });
    if (path.includes('fork-report')) expect(text).toContain('["Davit pull request (services/fraud)"]');
    expect(text).not.toMatch(/group: davit-\$/);
  }
});

test.each(['local', 'a,preview', 'warm', '123', '1e3', 'null', 'on', 'eu eu', 'Prod', '9dev'])(
  'parseEnvironmentNames() refuses %s',
  (text) => {
    expect(parseEnvironmentNames(text).why).toMatch(/^Cannot use ".+expected/);
  },
);

test('parseEnvironmentNames() accepts names with spaces or commas between', () => {
  expect(parseEnvironmentNames('staging, eu-1  production')).toEqual({ names: ['staging', 'eu-1', 'production'] });
});

test.each([
  ['models/iris/2', { name: 'iris', version: '2', uri: undefined }],
  ['elsewhere/my model/', { name: 'my-model', version: '1', uri: 'elsewhere/my model' }],
  ['models:/main.ml.iris/7', { name: 'main.ml.iris', version: '7', uri: 'models:/main.ml.iris/7' }],
  ['models:/iris@champion', { name: 'iris', version: '@champion', uri: undefined }],
  ['s3://bucket/iris-model', { name: 'iris-model', version: '1', uri: 's3://bucket/iris-model' }],
])('readModelAnswer() understands %s', (written, model) => {
  expect(readModelAnswer(written, { root, cwd: root })).toEqual(model);
});

test.each([
  ['models:/iris/latest', /another version later/],
  ['models/iris/3', /no such directory/],
  ['models/iris', /no file MLmodel/],
])('readModelAnswer() refuses %s', (written, message) => {
  expect(() => readModelAnswer(written, { root, cwd: root })).toThrow(message);
});

test.each([
  ['git@github.com:acme/models.git', 'https://github.com', 'acme/models'],
  ['https://token@ghe.acme.example/acme/models', 'https://ghe.acme.example', 'acme/models'],
  ['ssh://git@ghe.acme.example:2222/acme/my.models.git', 'https://ghe.acme.example', 'acme/my.models'],
])('parseRemote() reads %s', (url, host, name) => {
  expect(parseRemote(url)).toEqual({ server: host, name });
});

test('parseRemote() of a folder is undefined', () => {
  expect(['/srv/git/models', '../models', 'file:///srv/models'].map(parseRemote)).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

test('a token goes only to github.com and to hosts that the environment names', async () => {
  const names = ['GH_HOST', 'GITHUB_SERVER_URL', 'GITHUB_API_URL', 'GITHUB_TOKEN', 'GITHUB_ENTERPRISE_TOKEN'];
  for (const name of names) vi.stubEnv(name, '');
  vi.stubEnv('GH_TOKEN', 'secret');
  vi.stubEnv('GH_ENTERPRISE_TOKEN', 'other');
  const use = async (url: string) => {
    execFileSync('git', ['-C', root, 'config', 'remote.origin.url', url]);
    const found = await findGithubRepository(root);
    return found && [apiAddress(found), readGithubToken(found)];
  };
  expect(await use('https://evil.example/acme/models')).toBeUndefined();
  expect(await use('https://github.com.evil.example/acme/models')).toBeUndefined();
  expect(await use('https://github.com@evil.example/acme/models')).toBeUndefined();
  expect(await use('git@GitHub.com:acme/models.git')).toEqual(['https://api.github.com', 'secret']);
  vi.stubEnv('GH_HOST', 'ghe.acme.example');
  expect(await use('git@ghe.acme.example:acme/models.git')).toEqual(['https://ghe.acme.example/api/v3', 'other']);
  vi.stubEnv('GITHUB_SERVER_URL', 'https://ghe.acme.example');
  vi.stubEnv('GITHUB_API_URL', 'https://ghe.acme.example/api/v3');
  expect(await use('https://github.com/acme/models')).toEqual(['https://api.github.com', 'secret']);
  vi.stubEnv('GH_ENTERPRISE_TOKEN', ' ');
  vi.stubEnv('GITHUB_TOKEN', 'of the workflow');
  expect(await use('https://ghe.acme.example/acme/models')).toEqual([
    'https://ghe.acme.example/api/v3',
    'of the workflow',
  ]);
  for (const name of [...names, 'GH_TOKEN', 'GH_ENTERPRISE_TOKEN']) vi.stubEnv(name, undefined);
});

const GITHUB: Readonly<Record<string, unknown>> = {
  '/repos/acme/models': { default_branch: 'trunk' },
  '/repos/acme/models/environments/preview': { protection_rules: [], deployment_branch_policy: null },
  '/repos/acme/models/environments/preview/secrets': { secrets: [{ name: 'PULUMI_CONFIG_PASSPHRASE' }] },
  '/repos/acme/models/environments/live': { protection_rules: [{ type: 'required_reviewers' }] },
  '/repos/acme/models/environments/live/secrets': { secrets: [] },
  '/repos/acme/models/rules/branches/trunk': [
    { type: 'pull_request', parameters: { require_code_owner_review: true } },
    { type: 'required_status_checks', parameters: { required_status_checks: [{ context: 'davit' }] } },
  ],
  '/repos/acme/models/contents/CODEOWNERS': { type: 'file' },
  '/repos/acme/models/actions/permissions/workflow': 403,
};

test('checkGithubSettings() says what is done, what is missing and what the token may not read', async () => {
  const github = createServer((request, response) => {
    const answer = request.headers.authorization === 'Bearer secret' ? GITHUB[request.url ?? ''] : 401;
    response.statusCode = typeof answer === 'number' ? answer : answer === undefined ? 404 : 200;
    response.end(JSON.stringify(answer ?? {}));
  });
  await new Promise<void>((done) => github.listen(0, '127.0.0.1', done));
  server = github;
  vi.stubEnv('GITHUB_API_URL', `http://127.0.0.1:${(github.address() as AddressInfo).port}`);
  const repository = { server: 'https://github.com', name: 'acme/models' };
  const request = { repository, environments: ['live'], branch: 'main' };
  const settings = await checkGithubSettings({ ...request, token: 'secret' });
  expect(settings.map((s) => [s.state, s.found])).toEqual([
    ['done', undefined],
    ['missing', 'it lacks the secret PULUMI_CONFIG_PASSPHRASE, the restriction to a branch'],
    ['done', undefined],
    ['done', undefined],
    ['missing', 'there is no such label'],
    ['unknown', 'GitHub answers 403: the token may not read it'],
  ]);
  expect(settings[2]?.what).toContain('trunk');
  const hidden = { ...request, repository: { ...repository, name: 'acme/private' }, unreadable: ['broken'] };
  const states = await checkGithubSettings({ ...hidden, token: 'secret' });
  expect(new Set(states.map((s) => s.state))).toEqual(new Set(['unknown']));
  expect([states.at(-1)?.what, states.at(-1)?.found]).toEqual([
    'The environment "broken"',
    'environments/broken.yaml has errors, run npx davit check',
  ]);
  const unseen = await checkGithubSettings(request);
  expect(new Set(unseen.map((s) => s.state))).toEqual(new Set(['unknown']));
  expect(unseen.every((s) => s.link.startsWith('https://github.com/acme/models/'))).toBe(true);
});

test('runChecks() runs all at once, and one that fails or hangs is a finding of its own', async () => {
  const started = performance.now();
  const items = await runChecks(
    [
      { name: 'a', run: () => ({ state: 'fine', found: '1' }) },
      { name: 'b', run: () => Promise.reject(new Error('no\nstack')) },
      { name: 'c', run: () => new Promise(() => undefined) },
      { name: 'd', run: () => new Promise(() => undefined) },
    ],
    0.2,
  );
  expect(items.map((i) => [i.name, i.state, i.found])).toEqual([
    ['a', 'fine', '1'],
    ['b', 'warning', 'no'],
    ['c', 'warning', 'no answer within 0.2 s'],
    ['d', 'warning', 'no answer within 0.2 s'],
  ]);
  expect(performance.now() - started).toBeLessThan(2000);
});
