import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  findLastChange,
  findRemoval,
  hasFile,
  hasSameFiles,
  makePositionFinder,
  readChangesSince,
} from '../../../action/deploy/history.ts';
import { makeRepository } from './repository.ts';

const IRIS = 'endpoints/iris.yaml';
const WINE = 'endpoints/wine.yaml';

function start() {
  const root = mkdtempSync(join(tmpdir(), 'davit-history-'));
  return { ...makeRepository(root), history: { root, signal: new AbortController().signal } };
}

describe('the history of a checkout', () => {
  it('tells what differs from a commit that was deployed', async () => {
    const { write, commit, history } = start();
    write({ [IRIS]: '1', [WINE]: '1' });
    const first = commit();
    write({ [IRIS]: '2' });
    const second = commit();
    expect(await readChangesSince(history, first)).toEqual([{ path: IRIS, change: 'modified' }]);
    expect(await readChangesSince(history, second)).toEqual([]);
  });

  it('finds nothing to deploy in a checkout that is older than what was deployed', async () => {
    const { write, commit, git, history } = start();
    write({ [IRIS]: '1' });
    const old = commit();
    write({ [IRIS]: '2' });
    const deployed = commit();
    git('checkout', '--quiet', old);
    expect(await readChangesSince(history, deployed)).toEqual([]);
  });

  it('does not know a commit that is not in it', async () => {
    const { commit, history } = start();
    commit();
    expect(await readChangesSince(history, 'f'.repeat(40))).toBeUndefined();
  });

  it('finds the merge that changed a file, not the commits that it merged', async () => {
    const { write, commit, git, history } = start();
    write({ [IRIS]: '1', [WINE]: '1' });
    const first = commit();
    git('checkout', '--quiet', '-b', 'change');
    write({ [IRIS]: '2' });
    commit();
    git('checkout', '--quiet', 'main');
    write({ 'README.md': 'x' });
    commit();
    git('merge', '--quiet', '--no-ff', '--no-edit', 'change');
    const merge = git('rev-parse', 'HEAD');
    write({ 'README.md': 'y' });
    commit();
    expect(await findLastChange(history, [IRIS, 'endpoints/iris.lock'])).toBe(merge);
    expect(await findLastChange(history, [WINE])).toBe(first);
    expect(await findLastChange(history, ['endpoints/never.yaml'])).toBeUndefined();
  });

  it('takes paths for paths, whatever they look like', async () => {
    const { write, commit, history } = start();
    write({ 'endpoints/--all.yaml': '1', 'endpoints/*.yaml': '1', ':(top)x': '1' });
    const first = commit();
    write({ [IRIS]: '1' });
    commit();
    for (const path of ['endpoints/--all.yaml', 'endpoints/*.yaml', ':(top)x'])
      expect(await findLastChange(history, [path])).toBe(first);
    expect(await findLastChange(history, ['endpoints/*'])).toBeUndefined();
  });

  it('finds who removed a file, also one that was there twice', async () => {
    const { write, commit, history } = start();
    write({ [IRIS]: '1' });
    commit();
    write({ [IRIS]: undefined });
    const first = commit();
    expect(await findRemoval(history, IRIS)).toBe(first);
    write({ [IRIS]: '1' });
    commit();
    write({ [IRIS]: undefined });
    const second = commit();
    expect(await findRemoval(history, IRIS)).toBe(second);
    expect(await findRemoval(history, WINE)).toBeUndefined();
  });

  it('knows the files of commits whose contents a partial clone lacks and cannot fetch', async () => {
    const { git, write, commit, history } = start();
    write({ [IRIS]: '1' });
    const first = commit();
    write({ [IRIS]: '2' });
    commit();
    git('config', 'uploadpack.allowFilter', 'true');
    const root = join(mkdtempSync(join(tmpdir(), 'davit-partial-')), 'clone');
    git('clone', '--quiet', '--filter=blob:none', `file://${history.root}`, root);
    rmSync(history.root, { recursive: true });
    const partial = { ...history, root };
    expect(await hasFile(partial, first, IRIS)).toBe(true);
    expect(await hasFile(partial, first, WINE)).toBe(false);
    expect(await hasSameFiles(partial, [first, 'HEAD'], [IRIS])).toBe(false);
    expect(await hasSameFiles(partial, [first, 'HEAD'], [WINE])).toBe(true);
  });

  it('takes a failure of Git for no answer', async () => {
    const { write, commit, git, history } = start();
    write({ [IRIS]: '1' });
    const first = commit();
    write({ [IRIS]: '2' });
    const second = commit();
    const unknown = 'f'.repeat(40);
    expect(await makePositionFinder(history)(unknown)).toBe('diverged');
    expect(await hasSameFiles(history, [unknown, second], [IRIS])).toBe(false);
    const tree = git('rev-parse', `${first}:endpoints`);
    rmSync(join(history.root, '.git/objects', tree.slice(0, 2), tree.slice(2)));
    await expect(hasSameFiles(history, [first, second], [IRIS])).rejects.toThrow('Cannot read the history');
    await expect(hasFile(history, first, IRIS)).rejects.toThrow(`Cannot tell whether ${first} has ${IRIS}`);
  });
});
