import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readChangesSince, findLastChange, findRemoval } from '../../../action/deploy/history.ts';
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
});
