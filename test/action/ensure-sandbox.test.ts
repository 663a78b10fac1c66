import { chmodSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ensureSandbox } from '../../action/ensure-sandbox.ts';

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
