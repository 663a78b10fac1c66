import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { findProjectRoot, findProjectToExtend } from '../../cli/find-project-root.ts';
import { readEnvironment } from '../../schemas/read-project.ts';
import { programPath, readVersion } from '../../system/code.ts';
import { runProcess } from '../../system/run-process.ts';
import { runDavit } from './run-davit.ts';

let top = '';

beforeAll(async () => {
  top = await realpath(await mkdtemp(join(tmpdir(), 'davit-projects-')));
  for (const folder of ['fraud/endpoints', 'fraud/models/a', 'used/.davit', 'empty', 'own/infra'])
    await mkdir(join(top, folder), { recursive: true });
  await mkdir(join(top, 'own', 'endpoints'));
  await mkdir(join(top, 'fraud', 'src', 'endpoints'), { recursive: true });
  await writeFile(join(top, 'fraud', 'src', 'endpoints', 'users.js'), '');
  await writeFile(join(top, 'own', 'infra', 'Pulumi.yaml'), 'name: other\n');
  await writeFile(
    join(top, 'fraud', 'endpoints', 'good.yaml'),
    'name: good\nconfig:\n  served_entities:\n    - entity_name: iris\n      entity_version: "1"\n',
  );
  return () => rm(top, { recursive: true });
});

const davit = (cwd: string, ...args: readonly string[]) => runDavit(join(top, cwd), ...args);

it.each([
  ['a folder with endpoints/', 'fraud', 'fraud'],
  ['a folder below one', 'fraud/models/a', 'fraud'],
  ['code below it with a folder of that name', 'fraud/src', 'fraud'],
  ['another Pulumi project in a project', 'own/infra', 'own'],
  ['a project whose last endpoint file is gone', 'used', 'used'],
])('finds the project from %s', (_what, cwd, found) => {
  expect(findProjectRoot(join(top, cwd))).toBe(join(top, found));
});

it('finds the project by the folder of --endpoints and by --project', () => {
  expect(findProjectRoot(join(top, 'fraud', 'models'), { endpoints: 'models' })).toBe(join(top, 'fraud'));
  expect(findProjectRoot(join(top, 'empty'), { project: '../fraud' })).toBe(join(top, 'fraud'));
});

it('extends the project with endpoints above, else begins one here, whatever other programs have above', () => {
  expect(findProjectToExtend(join(top, 'fraud', 'models'))).toBe(join(top, 'fraud'));
  expect(findProjectToExtend(join(top, 'own', 'infra'))).toBe(join(top, 'own', 'infra'));
  expect(findProjectToExtend(join(top, 'empty'))).toBe(join(top, 'empty'));
  expect(() => findProjectToExtend(top, { project: 'typo' })).toThrow('there is no such folder');
  for (const options of [{ project: '' }, { endpoints: ' ' }])
    for (const find of [findProjectRoot, findProjectToExtend])
      expect(() => find(join(top, 'fraud'), options)).toThrow(/^Cannot use an empty --/);
});

it.each(['import body.json --dry-run --project typo', 'doctor --project typo'])(
  'davit %s is wrong usage, and not a new project',
  async (command) => {
    const [verb = '', ...args] = command.split(' ');
    expect(await davit('.', verb, ...args)).toMatchObject({
      status: 2,
      stderr: `Cannot use "typo" for --project: there is no such folder\nTry: npx davit ${verb} --help\n`,
    });
  },
);

it.each(['preview', 'up', 'status', 'check'])(
  'davit %s without a project is one sentence with exit code 2',
  async (verb) => {
    const { status, stdout, stderr } = await davit('empty', verb);
    expect({ status, stdout, stderr }).toEqual({
      status: 2,
      stdout: '',
      stderr: `Cannot find a project in ${join(top, 'empty')} or above it: expected a folder with endpoints/ (npx davit init makes one), or --project FOLDER\n`,
    });
  },
);

it('--project that names no folder is wrong usage', async () => {
  const { status, stderr } = await davit('empty', 'check', '--project', 'nowhere');
  expect(status).toBe(2);
  expect(stderr).toContain('Cannot use "nowhere" for --project: there is no such folder');
});

it('checks a project without Pulumi.yaml and environments/ from anywhere', async () => {
  const { status, stdout } = await davit('empty', 'check', '--project', '../fraud');
  expect({ status, stdout }).toEqual({ status: 0, stdout: '1 endpoint file checked: all fine\n' });
});

it('the environment "local" is built in, and no other one is', async () => {
  const place = { root: join(top, 'fraud'), endpoints: 'endpoints' };
  expect(await readEnvironment(place, 'local')).toMatchObject({ value: { target: 'local' }, diagnostics: [] });
  expect(await readEnvironment(place, 'prod')).toMatchObject({ diagnostics: [{ code: 'unknown-environment' }] });
});

it('davit --version prints the version', async () => {
  const { code, stdout } = await runProcess(process.execPath, [programPath('cli', 'main.ts'), '--version']);
  expect({ code, stdout }).toEqual({ code: 0, stdout: `davit ${readVersion()}\n` });
});
