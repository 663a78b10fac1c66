import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { lockProject } from './lock-project.ts';
import { runDavit } from './run-davit.ts';
import { makeWorkingProject } from './working-project.ts';

const FIXTURES = join(dirname(import.meta.dirname), 'fixtures/models');
let root = '';
let remove: () => Promise<void>;

beforeAll(async () => {
  ({ root, remove } = await makeWorkingProject({
    'iris/1': join(FIXTURES, 'p_flowers_1'),
    'iris/2': join(FIXTURES, 'p_flowers_2'),
    'iris/3': join(FIXTURES, 'h_raises'),
  }));
  await renewModel();
  await writeFile(join(root, '.gitignore'), '.davit/\n');
  await declare('1');
  await lockProject(root);
  git('init', '-q', '-b', 'main');
  git('add', '-A');
  git('commit', '-q', '-m', 'first');
  await runDavit(root, 'validate', 'iris'); // compiles the byte code of the packages
});
afterAll(() => remove());

function git(...args: readonly string[]) {
  execFileSync('git', ['-C', root, '-c', 'user.name=a', '-c', 'user.email=a@b', '-c', 'commit.gpgsign=false', ...args]);
}

async function declare(version: string, workers?: string) {
  const entity = `    - { name: iris, entity_name: iris, entity_version: "${version}" }\n`;
  const settings = workers === undefined ? '' : `davit: { served_entities: { iris: { workers: ${workers} } } }\n`;
  const text = `name: iris\nconfig:\n  served_entities:\n${entity}${settings}`;
  await writeFile(join(root, 'endpoints/iris.yaml'), text);
}

/** Makes a model of the new version that nobody has proved before. */
async function renewModel() {
  await writeFile(join(root, 'models/iris/2/note.txt'), crypto.randomUUID());
}

const PROVES = 'Proving iris';
const BESIDE = 'Predicting the same inputs with iris 1';
const AFTERWARDS = 'Comparing iris 2 with iris 1';

async function review() {
  const { stdout, stderr } = await runDavit(root, 'review', '--stage', 'validate', '--base', 'main');
  return { stdout, did: [PROVES, BESIDE, AFTERWARDS].filter((line) => stderr.includes(line)) };
}

it('a review proves a model once for its proof and its comparison, and nothing for the same again', async () => {
  await declare('2');
  await lockProject(root);
  const changed = /Predictions: \*\*3 of 3 rows differ \(100%\)\*\*; 1 input\n/;
  expect(await review()).toEqual({ did: [PROVES, BESIDE], stdout: expect.stringMatching(changed) as string });
  expect(await review()).toEqual({ did: [], stdout: expect.stringMatching(changed) as string });
  // A proof without forks answers nothing more, so both versions are loaded for the comparison.
  await declare('2', 'separate');
  await renewModel();
  await lockProject(root);
  expect(await review()).toEqual({ did: [PROVES, AFTERWARDS], stdout: expect.stringMatching(changed) as string });
});

it('a review stops the old version when the new one fails its proof', async () => {
  await declare('3');
  await lockProject(root);
  const { did, stdout } = await review();
  expect(did).toEqual([PROVES]);
  expect(stdout).toContain('iris 3 is not proved');
});
