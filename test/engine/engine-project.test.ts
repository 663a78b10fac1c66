import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { parse } from 'yaml';
import { findProjectBackend, prepareEngineProject } from '../../engine/engine-project.ts';
import { isMadeByOthers } from '../../engine/stacks.ts';
import { parseFolderVariables } from '../../schemas/deployment/folder-variables.ts';
import { CODE_FOLDER, codePath, programPath } from '../../system/code.ts';

beforeEach(() => {
  for (const name of ['PULUMI_BACKEND_URL', 'PULUMI_ACCESS_TOKEN']) vi.stubEnv(name, '');
  vi.stubEnv('PULUMI_CREDENTIALS_PATH', '/nowhere');
  return () => vi.unstubAllEnvs();
});

test('a project without Pulumi.yaml gets one below .davit/, which Git ignores', async () => {
  const root = await makeProject();
  execFileSync('git', ['init', '-q', root]);
  const { folder, backend, variables } = await prepareEngineProject(root);
  expect(folder).toBe(join(root, '.davit/engine'));
  expect(backend).toEqual({
    url: `file://${root}/.davit/pulumi?metadata=skip`,
    folder: join(root, '.davit/pulumi'),
    project: 'davit',
  });
  expect(variables).toEqual({ PULUMI_BACKEND_URL: backend.url });
  const made = await readMade(folder);
  expect(made).not.toHaveProperty('backend'); // two commands may have different ones
  expect(made).toMatchObject({
    name: 'davit',
    main: programPath('infra', 'index.ts'),
    stackConfigDir: '../stacks',
    plugins: { providers: [{ name: 'davit', path: codePath('local') }] },
  });
  expect(parseFolderVariables(folder, {}).root).toBe(root);
  expect(execFileSync('git', ['-C', root, 'status', '--short'], { encoding: 'utf8' })).toBe('');
});

test("a Pulumi.yaml that runs this Davit's program is the engine's project", async () => {
  for (const main of [codePath('infra'), programPath('infra', 'index.ts')]) {
    const root = await makeProject({
      ...LEADS_HERE,
      main,
    });
    expect(await prepareEngineProject(root)).toEqual({
      folder: root,
      backend: { url: 's3://states', folder: undefined, project: 'serving' },
      variables: {},
    });
  }
});

const LEADS_HERE = {
  name: 'serving',
  runtime: { name: 'nodejs', options: { typescript: false } },
  main: codePath('infra'),
  backend: { url: 's3://states' },
  plugins: { providers: [{ name: 'davit', path: codePath('local') }] },
};
const PLUGIN = { name: 'docker', path: './x' };

test.each<[string, object]>([
  ['arguments of Node', { runtime: { name: 'nodejs', options: { typescript: false, nodeargs: '--import=./x.mjs' } } }],
  ['TypeScript, whose tsconfig.json names modules', { runtime: 'nodejs' }],
  ['another provider', { plugins: { providers: [...LEADS_HERE.plugins.providers, PLUGIN] } }],
  ['a language host', { plugins: { ...LEADS_HERE.plugins, languages: [PLUGIN] } }],
  ['a package', { packages: { x: './x' } }],
  ['a field of another version', { hooks: {} }],
])("a Pulumi.yaml that runs this Davit's program with %s is not used as it is", async (_, change) => {
  const root = await makeProject({ ...LEADS_HERE, ...change });
  const { folder, backend } = await prepareEngineProject(root);
  expect([folder, backend.project]).toEqual([join(root, '.davit/engine'), 'serving']);
  expect(JSON.stringify(await readMade(folder))).not.toMatch(/x\.mjs|\.\/x|hooks/);
});

test('neither is one beside a Pulumi.json', async () => {
  const root = await makeProject(LEADS_HERE);
  await writeFile(join(root, 'Pulumi.json'), '{}');
  expect((await prepareEngineProject(root)).folder).toBe(join(root, '.davit/engine'));
});

test("of any other Pulumi.yaml its name, backend and configuration count, and the stacks' settings stay beside it", async () => {
  const root = await makeProject({
    name: 'serving',
    main: 'elsewhere/',
    backend: { url: 'file://./states' },
    config: { 'aws:region': 'eu-west-1' },
  });
  await writeFile(join(root, 'Pulumi.iris.production.yaml'), 'config: {}\n');
  const { folder, backend, variables } = await prepareEngineProject(root);
  expect(backend).toEqual({ url: `file://${root}/states`, folder: join(root, 'states'), project: 'serving' });
  expect(variables).toEqual({ PULUMI_BACKEND_URL: backend.url });
  expect(await readMade(folder)).toMatchObject({
    name: 'serving',
    main: programPath('infra', 'index.ts'),
    config: { 'aws:region': 'eu-west-1' },
    stackConfigDir: '../..',
  });
});

test('a Pulumi.yaml without a backend means the login, and without a login the folder of the project', async () => {
  const root = await makeProject({ name: 'serving', runtime: 'nodejs' });
  expect((await prepareEngineProject(root)).backend.folder).toBe(join(root, '.davit/pulumi'));
  expect(await findProjectBackend(root)).toMatchObject({ isOwn: true });
  vi.stubEnv('PULUMI_ACCESS_TOKEN', 'pul-1');
  const { folder, backend } = await prepareEngineProject(root);
  expect(backend).toEqual({ url: undefined, folder: undefined, project: 'serving' });
  expect(await findProjectBackend(root)).toEqual({ url: undefined, isOwn: false });
  const made = await readMade(folder);
  expect(made).not.toHaveProperty('backend');
  expect(made).toMatchObject({ stackConfigDir: '../stacks' });
});

test('PULUMI_BACKEND_URL wins, and a relative path in it is relative to the project', async () => {
  const root = await makeProject();
  vi.stubEnv('PULUMI_BACKEND_URL', 'file://states');
  expect(await prepareEngineProject(root)).toMatchObject({
    backend: { folder: join(root, 'states') },
    variables: { PULUMI_BACKEND_URL: `file://${root}/states` },
  });
});

test('projects in folders of one repository have different names', async () => {
  const repository = await makeProject();
  execFileSync('git', ['init', '-q', repository]);
  const name = async (...folders: readonly string[]) => {
    const root = join(repository, ...folders);
    await mkdir(root, { recursive: true });
    return (await prepareEngineProject(root)).backend.project;
  };
  expect(await name('teams', 'fraud')).toBe('davit-teams-fraud');
  expect(await name('teams-fraud')).toMatch(/^davit-teams-fraud-[0-9a-f]{8}$/);
  expect(await name('teams', 'fraud detection')).toMatch(/^davit-teams-fraud-detection-[0-9a-f]{8}$/);
  expect((await prepareEngineProject(CODE_FOLDER)).backend.project).toBe('davit');
});

test('a mistake in the YAML of Pulumi.yaml names the file', async () => {
  const root = await makeProject();
  await writeFile(join(root, 'Pulumi.yaml'), 'name: [\n');
  await expect(prepareEngineProject(root)).rejects.toThrow(
    /^Cannot read Pulumi\.yaml: .+, expected YAML\. Correct the file$/,
  );
});

test("stacks of the user's own program are not Davit's", async () => {
  const root = await makeProject({ name: 'shop', runtime: 'nodejs' });
  const { folder, backend } = await prepareEngineProject(root);
  const stacks = join(root, '.davit/pulumi/.pulumi/stacks/shop');
  await mkdir(stacks, { recursive: true });
  const isOthers = async (...types: readonly string[]) => {
    const resources = ['pulumi:pulumi:Stack', ...types].map((type) => ({ urn: `urn:${type}`, type }));
    await writeFile(join(stacks, 'web.production.json'), JSON.stringify({ checkpoint: { latest: { resources } } }));
    const project = { root, folder, programServer: undefined, backend, variables: {}, environment: {} };
    const engine = { command: 'pulumi', version: '3.0.0', source: 'path' } as const;
    return isMadeByOthers({ ...project, engine }, 'web.production');
  };
  expect(await isOthers('aws:s3/bucket:Bucket')).toBe(true);
  expect(await isOthers()).toBe(false);
  expect(await isOthers('davit:index:Endpoint', 'kubernetes:core/v1:Secret')).toBe(false);
});

async function makeProject(pulumi?: object): Promise<string> {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'davit-project-')));
  onTestFinished(() => rm(root, { recursive: true }));
  if (pulumi) await writeFile(join(root, 'Pulumi.yaml'), JSON.stringify(pulumi));
  return root;
}

async function readMade(folder: string): Promise<unknown> {
  return parse(await readFile(join(folder, 'Pulumi.yaml'), 'utf8'));
}
