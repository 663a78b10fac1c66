// Requirements that name a commit of a Git repository, which a server of the test has.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { ensureVirtualenv, makeVirtualenvRequest } from '../../../python/ensure-virtualenv.ts';
import { findSandbox } from '../../../sandbox/sandbox.ts';
import { parseLock, renderLock } from '../../../schemas/lock/lock.ts';
import { cacheFolder } from '../../../system/cache.ts';
import { lockEndpoint } from '../../../validation/lock-endpoint.ts';
import { commitFiles, startGitServer } from '../../helpers/git-server.ts';
import { makeEndpoint, makeProject, writeFiles } from '../throw-away-project.ts';

const sandbox = await findSandbox();
const hasSandbox = !('why' in sandbox);
const BUILD_SYSTEM = '[build-system]\nrequires = ["setuptools<81"]\nbuild-backend = "setuptools.build_meta"\n';
const PROJECT = `${BUILD_SYSTEM}[project]\nname = "davit-helper"\nversion = "2.5"\noptional-dependencies.more = ["six==1.17.0"]\n[tool.setuptools]\npy-modules = ["davit_helper"]\n`;

/** A project whose model has these requirements, with its own caches, and repositories below `repositories`. */
async function makeSetup() {
  const root = await makeProject({ 'm/1': 'm_obedient' });
  const repositories = join(root, 'repositories');
  for (const folder of ['cache', 'repositories']) await mkdir(join(root, folder));
  const uv = cacheFolder('uv');
  if (existsSync(uv)) await symlink(uv, join(root, 'cache', 'uv'));
  const server = await startGitServer(repositories);
  onTestFinished(() => {
    vi.unstubAllEnvs();
    server.close();
  });
  vi.stubEnv('DAVIT_CACHE', join(root, 'cache'));
  vi.stubEnv('GIT_SSL_CAINFO', server.certificate);
  const lock = async (requirement: string, builds: readonly string[], policy: object = {}, current?: string) => {
    await writeFiles(root, { 'models/m/1/requirements.txt': `${requirement}\n` });
    return lockEndpoint(makeEndpoint('e', { m: 'm/1' }, { m: { build_wheels: builds } }), {
      root,
      policies: [{ missing_module: 'ignore', ...policy }],
      tolerated: ['requirements-missing'],
      current: current === undefined ? undefined : parseLock(current, 'e.lock').lock,
    });
  };
  const fail = async (requirement: string, builds = ['davit-helper'], policy: object = {}) => {
    const { diagnostics } = await lock(requirement, builds, policy);
    return diagnostics.filter((d) => d.severity === 'error').map((d) => `${d.code} ${d.message}\n${d.hint ?? ''}`);
  };
  return { root, repositories, server, lock, fail };
}

test.runIf(hasSandbox)('a commit is built in the sandbox, locked, and built again to the same wheel', async () => {
  const { root, repositories, server, lock, fail } = await makeSetup();
  const commit = commitFiles(repositories, 'helper', {
    'pyproject.toml': PROJECT,
    'davit_helper.py': 'ANSWER = 42\n',
    '.gitattributes': 'davit_helper.py export-ignore\n',
  });
  commitFiles(repositories, 'helper', { 'davit_helper.py': 'ANSWER = 43\n' });
  const source = `git+${server.address}/helper.git@${commit}`;
  const requirement = `davit_helper[more] @ ${source} ; python_version > "3.5"`;
  expect(await fail(requirement, [])).toEqual([
    expect.stringContaining('add "davit-helper" to davit.served_entities.m.build_wheels in endpoints/e.yaml'),
  ]);
  expect(await fail(requirement, ['davit-helper'], { built_package: 'error' })).toEqual([
    expect.stringMatching(/^package-built Cannot lock davit-helper for m 1: its wheel would have to be built/),
  ]);
  expect(server.logins).toEqual([]);
  const { lock: made, diagnostics } = await lock(requirement, ['davit-helper']);
  expect(diagnostics.filter((d) => d.severity === 'error')).toEqual([]);
  expect(diagnostics.find((d) => d.code === 'package-built')?.message).toContain(`from the commit ${source}, which`);
  const text = renderLock(made!);
  expect(parseLock(text, 'e.lock').diagnostics).toEqual([]);
  const packages = Object.values(made!.virtualenvs)[0]!.packages.map((p) => [p.name, p.version, p.built?.from]);
  expect(packages).toEqual([
    ['davit-helper', '2.5', source],
    ['six', '1.17.0', undefined],
  ]);
  // What is locked and kept needs no repository.
  const asked = server.logins.length;
  expect((await lock(requirement, ['davit-helper'], {}, text)).changed).toBe(false);
  expect((await lock(`${requirement}\nidna==3.10`, ['davit-helper'], {}, text)).lock).toBeDefined();
  expect(server.logins).toHaveLength(asked);
  await rm(join(root, 'cache', 'wheels'), { recursive: true });
  const virtualenv = await ensureVirtualenv(makeVirtualenvRequest(made!, 'm'), {
    sandbox: hasSandbox ? sandbox : undefined,
  });
  const said = execFileSync(virtualenv.python, ['-c', 'import davit_helper; print(davit_helper.ANSWER)']);
  expect(String(said)).toBe('42\n');
});

test.runIf(hasSandbox)('a package in a subfolder that reads its version from Git gets that of a tag', async () => {
  const { repositories, server, lock } = await makeSetup();
  const scm =
    '[build-system]\nrequires = ["setuptools<81", "setuptools-scm==8.3.1"]\nbuild-backend = "setuptools.build_meta"\n';
  const commit = commitFiles(repositories, 'many', {
    'python/pyproject.toml': `${scm}[project]\nname = "davit-helper"\ndynamic = ["version"]\n[tool.setuptools_scm]\nroot = ".."\n`,
    'python/davit_helper.py': '',
  });
  const tag = (name: string) => execFileSync('git', ['tag', name], { cwd: join(repositories, 'many.git') });
  const requirement = `git+${server.address}/many.git@${commit}#egg=davit_helper&subdirectory=python`;
  const version = async () => {
    const { lock: made, diagnostics } = await lock(requirement, ['davit-helper']);
    expect(diagnostics.filter((d) => d.severity === 'error')).toEqual([]);
    return Object.values(made!.virtualenvs)[0]!.packages[0]!.version;
  };
  expect(await version()).toBe(`0.0.0+g${commit.slice(0, 12)}`);
  tag('v1.2.3');
  expect(await version()).toBe('1.2.3');
});

test.runIf(hasSandbox)('a commit that cannot be used is refused with its cause, and no login is sent', async () => {
  const { root, repositories, server, fail } = await makeSetup();
  const helper = commitFiles(repositories, 'helper', { 'pyproject.toml': PROJECT, 'davit_helper.py': '' });
  const large = commitFiles(repositories, 'large', {
    'pyproject.toml': PROJECT,
    'weights.bin': 'version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 1\n',
  });
  const secret = commitFiles(repositories, 'private', { 'pyproject.toml': PROJECT });
  const outer = commitFiles(repositories, 'outer', { 'pyproject.toml': PROJECT });
  await writeFiles(root, {
    'home/.netrc': 'machine localhost login me password secret\n',
    'home/.gitconfig': `[url "https://me:secret@localhost"]\ninsteadOf = https://localhost\n`,
  });
  vi.stubEnv('HOME', join(root, 'home'));
  const at = (name: string, commit: string, more = '') => `davit-helper @ git+${server.address}/${name}.git@${commit}${more}`; // prettier-ignore
  for (const [requirement, why] of [
    [at('helper', 'f'.repeat(40)), `it has no commit ${'f'.repeat(40)}, or does not give it out`],
    [at('none', helper), 'there is no such repository'],
    [at('private', secret), 'it does not exist, or needs a login, and Davit sends none'],
    [at('large', large), 'Git LFS has a file of its commit, weights.bin'],
    [at('outer', outer, '#subdirectory=none'), 'its commit has no such subdirectory'],
  ] as const) {
    const [found, ...others] = await fail(requirement);
    expect(found).toContain(`resolution-failed Cannot install the requirements of m 1: davit-helper cannot be fetched`);
    expect(found).toContain(why);
    expect(others).toEqual([]);
  }
  expect(server.logins.every((login) => login === undefined)).toBe(true);
  expect(await fail(`other @ git+${server.address}/helper.git@${helper}`, ['other'])).toEqual([
    expect.stringContaining('the repository of other has the package davit-helper'),
  ]);
});
