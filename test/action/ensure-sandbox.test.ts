import { chmodSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ensureSandbox, ensureSandboxForBuilds } from '../../action/ensure-sandbox.ts';
import type { Lock, LockedPackage } from '../../schemas/lock/lock.ts';
import { renderLock } from '../../schemas/lock/lock.ts';

const HOSTED = { RUNNER_ENVIRONMENT: 'github-hosted', RUNNER_OS: 'Linux' };

let folder = '';
let said = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'davit-sandbox-'));
  said = '';
  vi.stubEnv('PATH', folder);
  vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    said += String(chunk);
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

/** Stands for sudo: notes what it is asked for, then does this. */
function putSudo(script: string): void {
  put('sudo', `echo "$@" >> ${folder}/asked\n${script}`);
}

function put(name: string, script: string): void {
  writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, name), 0o755);
}

const asked = () => readFileSync(join(folder, 'asked'), 'utf8').trim().split('\n');
const ensure = (variables: NodeJS.ProcessEnv) => ensureSandbox(AbortSignal.timeout(10_000), variables);
/** The shell's words for making a bubblewrap that works. */
const makeBwrap = () =>
  `printf '#!/bin/sh\\necho bubblewrap 0.9.0\\n' > ${folder}/bwrap; /bin/chmod +x ${folder}/bwrap`;

it('installs bubblewrap on a machine of GitHub’s own', async () => {
  putSudo(makeBwrap());
  await ensure(HOSTED);
  expect(asked()).toEqual(['--non-interactive apt-get install --yes --quiet --no-install-recommends bubblewrap']);
  expect(said).not.toContain('::warning');
});

it('lets it make namespaces where it may not', async () => {
  put('bwrap', '[ "$1" = --version ] && echo bubblewrap 0.9.0 || exit 1');
  putSudo(`case "$*" in *sysctl*) ${makeBwrap()};; esac`);
  await ensure(HOSTED);
  expect(asked().at(-1)).toBe(
    '--non-interactive sysctl --quiet --write kernel.apparmor_restrict_unprivileged_userns=0',
  );
  expect(said).not.toContain('::warning');
});

it('says what sudo answered when it cannot, and goes on', async () => {
  putSudo('echo "a password is required" >&2; exit 1');
  await ensure(HOSTED);
  expect(said).toContain('ended with 1: a password is required');
});

it('leaves a machine of somebody’s own as it is', async () => {
  putSudo(makeBwrap());
  await ensure({ RUNNER_ENVIRONMENT: 'self-hosted', RUNNER_OS: 'Linux' });
  expect(asked).toThrow('ENOENT');
});

it('does nothing where models are shut in', async () => {
  put('bwrap', 'echo bubblewrap 0.9.0');
  putSudo('exit 1');
  await ensure(HOSTED);
  expect(asked).toThrow('ENOENT');
  expect(said).toBe('');
});

it('installs bubblewrap for a job that runs no model only if a lock says to build a wheel', async () => {
  putSudo(makeBwrap());
  vi.stubEnv('RUNNER_ENVIRONMENT', HOSTED.RUNNER_ENVIRONMENT);
  vi.stubEnv('RUNNER_OS', HOSTED.RUNNER_OS);
  const hashes = [`sha256:${'0a'.repeat(32)}`];
  const plain = { name: 'numpy', version: '2.4.6', hashes };
  const ensureWith = (...packages: readonly LockedPackage[]) => {
    const virtualenv = { python: '3.11', platform: 'x86_64-manylinux_2_28', packages: [...packages] };
    const lock: Lock = { lock_version: 1, endpoint: 'iris', entities: {}, virtualenvs: { 'python3.11-0123456789': virtualenv } }; // prettier-ignore
    writeFileSync(join(folder, 'endpoints', 'iris.lock'), renderLock(lock));
    return ensureSandboxForBuilds(folder, AbortSignal.timeout(10_000));
  };
  await ensureSandboxForBuilds(folder, AbortSignal.timeout(10_000)); // no endpoints
  mkdirSync(join(folder, 'endpoints'));
  writeFileSync(join(folder, 'endpoints', 'built.yaml'), 'davit:\n  built:\n');
  await ensureWith(plain);
  expect(asked).toThrow('ENOENT');
  await ensureWith(plain, { name: 'docopt', version: '0.6.2', hashes, built: { from: hashes[0]!, with: [plain] } });
  expect(asked()).toHaveLength(1);
});
