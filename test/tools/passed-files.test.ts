import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { runGit } from '../../system/git/run-git.ts';
import { checkUnpassed } from '../../tools/passed-files.ts';

const FILES = {
  'a.ts': "import './b.ts';",
  'b.ts': '',
  'c.ts': '',
  'settings.json': '{}',
  'sub/tsconfig.json': '{}',
  'check.ts': "import './part.ts';",
  'part.ts': '',
  '.gitignore': 'node_modules/',
  'node_modules/.package-lock.json': '{}',
};

let root = '';
let code = '';
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'davit-passed-'));
  code = join(root, 'code');
  vi.stubEnv('DAVIT_CACHE', join(root, 'cache'));
  for (const folder of ['sub', 'node_modules', 'elsewhere']) await mkdir(join(code, folder), { recursive: true });
  await runGit(code, ['init', '-q']);
  await symlink('node_modules', join(code, 'link-to-folder'));
  await symlink('nowhere', join(code, 'link-to-nothing'));
});
afterAll(async () => {
  vi.unstubAllEnvs();
  process.exitCode = undefined;
  await rm(root, { recursive: true });
});

beforeEach(async () => {
  await rm(join(root, 'cache'), { recursive: true, force: true });
  await Promise.all(Object.entries(FILES).map(([file, text]) => write(file, text)));
});

const write = (file: string, text: string) => writeFile(join(code, file), text);

/** Returns the files that are checked now; all pass but `failing`. */
async function check(readsTypes: boolean, failing: readonly string[] = []): Promise<readonly string[]> {
  const inputs = { checker: 'check.ts', settings: ['settings.json'], readsTypes };
  let seen: readonly string[] = [];
  await checkUnpassed(
    'some',
    inputs,
    (files) => {
      seen = [...files].sort();
      return Promise.resolve(new Set(failing));
    },
    code,
  );
  return seen;
}

const ALL = ['a.ts', 'b.ts', 'c.ts', 'check.ts', 'part.ts'];

test('a file is checked until it has passed, and links to folders are no files', async () => {
  expect(await check(true, ['b.ts'])).toEqual(ALL);
  expect(process.exitCode).toBe(1);
  expect(await check(true)).toEqual(['b.ts']);
  expect(await check(true)).toEqual([]);
  expect(await check(false)).toEqual([...ALL, '.gitignore', 'settings.json', 'sub/tsconfig.json'].sort());
});

test.each([
  ['b.ts', ['a.ts', 'b.ts']],
  ['c.ts', ['c.ts']],
  ['settings.json', ALL],
  ['sub/tsconfig.json', ALL],
  ['check.ts', ALL],
  ['part.ts', ALL],
  ['node_modules/.package-lock.json', ALL],
])('a change of %s checks again what depends on it', async (file, again) => {
  await check(true);
  await write(file, '// changed');
  expect(await check(true)).toEqual(again);
});

test('what changes during the check has not passed', async () => {
  await checkUnpassed(
    'some',
    { checker: 'check.ts', settings: [], readsTypes: false },
    async () => {
      await write('c.ts', '// changed');
      return new Set();
    },
    code,
  );
  await checkUnpassed(
    'some',
    { checker: 'check.ts', settings: [], readsTypes: false },
    (files) => {
      expect(files).toEqual(['c.ts']);
      return Promise.resolve(new Set());
    },
    code,
  );
});
