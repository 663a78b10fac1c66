import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findChangedEndpoints } from '../../review/changed-endpoints.ts';
import { NoBaseError, readChangedPaths } from '../../review/changed-paths.ts';
import { refuseFiles } from '../../review/refuse-files.ts';
import { listEndpoints, readEndpoint } from '../../schemas/read-project.ts';

let root = '';

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'davit-changed-')));
  git('init', '-q', '-b', 'main');
  for (const name of ['iris', 'fraud', 'ranker']) write(`endpoints/${name}.yaml`, endpoint(name));
  write('endpoints/iris.lock', 'lock_version: 1\n');
  write('environments/local.yaml', 'name: local\ntarget: local\n');
  write('models/iris/1/MLmodel', 'flavors: {}\n');
  write('models/fraud/1/MLmodel', 'flavors: {}\n');
  write('models/fraud/10/MLmodel', 'flavors: {}\n');
  commit();
  git('checkout', '-q', '-b', 'work');
});
afterEach(() => rmSync(root, { recursive: true }));

const endpoint = (name: string) =>
  `name: ${name}\nconfig:\n  served_entities:\n    - entity_name: ${name}\n      entity_version: "1"\n`;

function git(...args: readonly string[]) {
  const identity = ['-c', 'user.name=a', '-c', 'user.email=a@b', '-c', 'commit.gpgsign=false'];
  return execFileSync('git', ['-C', root, ...identity, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

function commit() {
  git('add', '-A');
  git('commit', '-q', '-m', 'change');
}

function write(path: string, text: string) {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

const remove = (path: string) => rmSync(join(root, path), { recursive: true });

async function changed(base?: string, environments: readonly string[] = ['local']) {
  const place = { root, endpoints: 'endpoints' };
  const names = await listEndpoints(place);
  const endpoints = (await Promise.all(names.map((n) => readEndpoint(place, n)))).flatMap((r) => r.value ?? []);
  const { paths } = await readChangedPaths(root, base);
  const found = findChangedEndpoints(paths, { root, names, endpoints, environments });
  return found.map((e) => `${e.endpoint} ${e.change}: ${e.because.map((b) => `${b.change} ${b.path}`).join(', ')}`);
}

describe('findChangedEndpoints()', () => {
  it('finds nothing where nothing of an endpoint changed', async () => {
    write('README.md', 'text');
    write('endpoints/README.md', 'text');
    write('endpoints/below/iris.yaml', endpoint('iris'));
    write('models/other/1/MLmodel', '');
    commit();
    expect(await changed()).toEqual([]);
  });

  it('tells added, changed, removed and affected apart, each with what it is', async () => {
    write('endpoints/new.yaml', endpoint('new'));
    write('endpoints/iris.lock', 'lock_version: 2\n');
    remove('endpoints/ranker.yaml');
    write('models/fraud/1/model.pkl', 'x');
    write('models/fraud/1/MLmodel', 'x');
    commit();
    expect(await changed()).toEqual([
      'fraud affected: modified models/fraud/1',
      'iris changed: modified endpoints/iris.lock',
      'new added: added endpoints/new.yaml',
      'ranker removed: deleted endpoints/ranker.yaml',
    ]);
  });

  it('does not take models/fraud/10 for models/fraud/1', async () => {
    write('models/fraud/10/MLmodel', 'x');
    commit();
    expect(await changed()).toEqual([]);
  });

  it('counts what is not committed: staged, unstaged, untracked, and a file made anew', async () => {
    write('endpoints/iris.yaml', `${endpoint('iris')}description: x\n`);
    git('add', '-A');
    write('endpoints/new.yaml', endpoint('new'));
    remove('endpoints/ranker.yaml');
    git('rm', '-q', '--cached', 'endpoints/fraud.yaml');
    expect(await changed()).toEqual([
      'fraud changed: modified endpoints/fraud.yaml',
      'iris changed: modified endpoints/iris.yaml',
      'new added: added endpoints/new.yaml',
      'ranker removed: deleted endpoints/ranker.yaml',
    ]);
  });

  it('takes a renamed file for one removed and one added, whatever Git is set to', async () => {
    git('config', 'diff.renames', 'copies');
    git('config', 'diff.noprefix', 'true');
    git('config', 'diff.external', 'false');
    git('config', 'color.ui', 'always');
    renameSync(join(root, 'endpoints/ranker.yaml'), join(root, 'endpoints/sorter.yaml'));
    commit();
    expect(await changed()).toEqual([
      'ranker removed: deleted endpoints/ranker.yaml',
      'sorter added: added endpoints/sorter.yaml',
    ]);
  });

  it('leaves out what only the main branch changed since', async () => {
    write('endpoints/iris.yaml', `${endpoint('iris')}description: x\n`);
    commit();
    git('checkout', '-q', 'main');
    write('endpoints/fraud.yaml', `${endpoint('fraud')}description: x\n`);
    commit();
    git('checkout', '-q', 'work');
    expect(await changed('main')).toEqual(['iris changed: modified endpoints/iris.yaml']);
  });

  it('finds every endpoint when an environment that is reviewed changed', async () => {
    write('environments/local.yaml', 'name: local\ntarget: local\ngateway: { port: 8080 }\n');
    commit();
    const why = 'affected: modified environments/local.yaml';
    expect(await changed()).toEqual([`fraud ${why}`, `iris ${why}`, `ranker ${why}`]);
    expect(await changed(undefined, ['staging'])).toEqual([]);
  });

  it('takes names with spaces, newlines, quotes and other letters as they are', async () => {
    const names = ['with space', 'new\nline', 'quo"te', "apo'strophe", 'größe', '--output=x', 'back\\slash', 'tab\t'];
    for (const name of names) write(`endpoints/${name}.yaml`, endpoint('x'));
    commit();
    const expected = names.map((name) => `${name} added: added endpoints/${name}.yaml`).sort();
    expect((await changed()).toSorted()).toEqual(expected);
  });

  it('sees a file that became a link', async () => {
    remove('endpoints/iris.yaml');
    symlinkSync('ranker.yaml', join(root, 'endpoints/iris.yaml'));
    commit();
    expect(await changed()).toEqual(['iris changed: modified endpoints/iris.yaml']);
  });

  it('works in a project that is a folder of its repository', async () => {
    const repository = root;
    for (const name of ['a', 'b']) write(`teams/one/endpoints/${name}.yaml`, endpoint(name));
    write('endpoints/iris.yaml', `${endpoint('iris')}description: x\n`);
    commit();
    try {
      root = join(repository, 'teams/one');
      expect(await changed()).toEqual(['a added: added endpoints/a.yaml', 'b added: added endpoints/b.yaml']);
    } finally {
      root = repository;
    }
  });
});

describe('readChangedPaths()', () => {
  it('never takes a name for an option', async () => {
    const base = `--output=${join(root, 'written')}`;
    await expect(readChangedPaths(root, base)).rejects.toThrow(NoBaseError);
    await expect(readChangedPaths(root, 'main\n--all')).rejects.toThrow(NoBaseError);
    expect(git('status', '--porcelain')).toBe('');
  });

  it('says what to do without a repository, a main branch or a common history', async () => {
    await expect(readChangedPaths(tmpdir(), undefined)).rejects.toThrow(
      /not in a Git repository; name the endpoints: npx davit review NAME$/,
    );
    await expect(readChangedPaths(root, 'nowhere')).rejects.toThrow('"nowhere" is not a commit in this repository');
    git('checkout', '-q', '--orphan', 'other');
    write('README.md', 'another beginning');
    commit();
    await expect(readChangedPaths(root, 'main')).rejects.toThrow('git fetch --unshallow');
    git('branch', '-q', '-D', 'main', 'work');
    await expect(readChangedPaths(root, undefined)).rejects.toThrow(
      /there is no origin\/HEAD, .*; ask the remote for its default branch \(git remote set-head origin --auto\)/,
    );
  });

  it("compares with the remote's default branch, whatever its name, or with that of new repositories", async () => {
    git('branch', '-q', '-M', 'main', 'trunk');
    git('config', 'init.defaultBranch', 'trunk');
    const base = git('rev-parse', 'trunk').trim();
    expect((await readChangedPaths(root, undefined)).base).toBe(base);
    git('config', '--unset', 'init.defaultBranch');
    git('branch', '-q', 'main', 'HEAD'); // left from before the default branch had its name
    git('update-ref', 'refs/remotes/origin/trunk', base);
    git('symbolic-ref', 'refs/remotes/origin/HEAD', 'refs/remotes/origin/trunk');
    expect((await readChangedPaths(root, undefined)).base).toBe(base);
  });

  it('lets Git say why it refuses a repository', async () => {
    process.env['GIT_TEST_ASSUME_DIFFERENT_OWNER'] = '1';
    try {
      await expect(readChangedPaths(root, undefined)).rejects.toThrow(
        /git reports .*dubious ownership.*safe\.directory/,
      );
    } finally {
      delete process.env['GIT_TEST_ASSUME_DIFFERENT_OWNER'];
    }
  });

  it('gives the commit at which the branch began', async () => {
    const base = git('rev-parse', 'main').trim();
    write('endpoints/iris.yaml', '');
    commit();
    expect(await readChangedPaths(root, 'main')).toEqual({
      base,
      head: git('rev-parse', 'HEAD').trim(),
      paths: [{ path: 'endpoints/iris.yaml', change: 'modified' }],
    });
  });
});

describe('refuseFiles()', () => {
  it('finds files that a link brings in, directly or by their folder', async () => {
    symlinkSync('/etc/hostname', join(root, 'endpoints/out.yaml'));
    symlinkSync('iris.yaml', join(root, 'endpoints/inside.yaml'));
    symlinkSync('/etc', join(root, 'environments/folder'));
    const files = [
      'endpoints/out.yaml',
      'endpoints/inside.yaml',
      'environments/folder/hostname',
      'endpoints/none.yaml',
    ];
    expect(await refuseFiles(root, files)).toMatchObject([
      { code: 'unreadable-file', file: 'endpoints/out.yaml', line: 1, column: 1 },
      { code: 'unreadable-file', file: 'environments/folder/hostname' },
    ]);
  });
});
