import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readScope } from '../../../app/review/review-scope.ts';
import { runGit } from '../../../system/git/run-git.ts';

const ENDPOINT = `name: iris
config: { served_entities: [{ name: iris, entity_name: iris, entity_version: "1" }] }
davit: { served_entities: { iris: { validation: { input_path: inputs/rows.json } } } }
`;
const FILES = {
  'shared/iris.yaml': ENDPOINT,
  'shared/iris.lock': 'lock_version: 1\n',
  'store/iris-1/MLmodel': 'flavors: {}\n',
  'store/rows.json': '{}',
};
const LINKS = {
  'endpoints/iris.yaml': '../shared/iris.yaml',
  'endpoints/iris.lock': '../shared/iris.lock',
  'models/iris/1': '../../store/iris-1',
  'inputs/rows.json': '../store/rows.json',
  'endpoints/loop.yaml': 'loop.yaml',
};

test.each([
  ['shared/iris.yaml', 'changed', 'endpoints/iris.yaml'],
  ['shared/iris.lock', 'changed', 'endpoints/iris.lock'],
  ['store/iris-1/MLmodel', 'affected', 'models/iris/1'],
  ['store/iris-1/new', 'affected', 'models/iris/1'],
  ['store/rows.json', 'affected', 'inputs/rows.json'],
  ['store/other', undefined, undefined],
])('a change of %s is one of the endpoint whose link leads there', async (file, change, path) => {
  const root = await mkdtemp(join(tmpdir(), 'davit-scope-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const git = (...args: readonly string[]) => runGit(root, ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args]);
  await git('init', '-q', '-b', 'main');
  for (const path of [...Object.keys(FILES), ...Object.keys(LINKS)])
    await mkdir(dirname(join(root, path)), { recursive: true });
  for (const [path, text] of Object.entries(FILES)) await writeFile(join(root, path), text);
  for (const [path, target] of Object.entries(LINKS)) await symlink(target, join(root, path));
  await git('add', '-A');
  await git('commit', '-q', '-m', 'base');
  await writeFile(join(root, file), file.endsWith('.yaml') ? `${ENDPOINT}# changed\n` : 'changed');
  const { signal } = new AbortController();
  const place = { root, endpoints: 'endpoints' };
  const { changed } = await readScope({ place, base: 'main', environments: [], signal });
  expect(changed).toEqual(
    path === undefined ? [] : [{ endpoint: 'iris', change, because: [{ path, change: 'modified' }] }],
  );
});
