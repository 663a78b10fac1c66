import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { commitFiles } from '../../../action/github/commit-files.ts';
import { asked, connected, SHA } from './connect-fake-github.ts';

const LOCK = 'endpoints/iris.lock';
const commit = {
  branch: 'change',
  expectedHead: SHA,
  headline: 'Lock iris',
  files: new Map([[LOCK, '{"lock": "ü ${{ x }}"}\n']]),
};

describe('commitFiles', () => {
  it('commits all files at once to the head that it knows', async () => {
    const { github, world } = await connected({ branches: { change: SHA } });
    const oid = await commitFiles(github, commit);
    expect(world.commits).toEqual([
      { oid, headline: 'Lock iris', parents: [SHA], files: { [LOCK]: '{"lock": "ü ${{ x }}"}\n' } },
    ]);
    expect(world.branches.head('change')?.oid).toBe(oid);
  });

  it('lets a push in between win', async () => {
    const pushed = 'b'.repeat(40);
    const { github, world } = await connected({ branches: { change: pushed } });
    expect(await commitFiles(github, commit)).toBeUndefined();
    expect(world.commits).toEqual([]);
    expect(world.branches.head('change')?.oid).toBe(pushed);
  });

  it('finds its own commit when the answer got lost', async () => {
    const lost = { operation: 'createCommitOnBranch', status: 502, headers: { 'retry-after': '0' }, done: true };
    const { github, world, fake } = await connected({ branches: { change: SHA }, faults: [lost] });
    expect(await commitFiles(github, commit)).toBe(world.commits[0]!.oid);
    expect(world.commits).toHaveLength(1);
    expect(asked(fake)).toEqual(['createCommitOnBranch 502', 'createCommitOnBranch 200', 'ref 200']);
  });

  it('throws when it may not, or there is no such branch', async () => {
    const { github, connect } = await connected({ branches: { change: SHA } });
    await expect(commitFiles(connect('reader'), commit)).rejects.toThrow(/createCommitOnBranch returned FORBIDDEN/);
    await expect(commitFiles(github, { ...commit, branch: '--upload-pack=x' })).rejects.toThrow(/NOT_FOUND/);
  });

  it('commits to a real repository, when the fake has one', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'davit-origin-'));
    const git = (...args: string[]) =>
      execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], {
        cwd: folder,
        encoding: 'utf8',
      }).trim();
    git('init', '--quiet', '--initial-branch=change');
    writeFileSync(join(folder, 'other.txt'), 'other');
    git('add', '-A');
    git('commit', '--quiet', '--message=first');
    const { github } = await connected({ git: folder });
    const expectedHead = git('rev-parse', 'HEAD');
    const oid = await commitFiles(github, { ...commit, expectedHead });
    expect(git('log', '-1', '--format=%H %P %s', 'change')).toBe(`${oid} ${expectedHead} Lock iris`);
    expect(git('show', `change:${LOCK}`)).toBe('{"lock": "ü ${{ x }}"}');
    expect(git('show', 'change:other.txt')).toBe('other');
    expect(await commitFiles(github, { ...commit, expectedHead })).toBe(oid);
  });
});
