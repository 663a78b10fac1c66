import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readProviderPackages } from '../../pulumi-provider/read-provider-packages.ts';

const CODE = join(import.meta.dirname, '..', '..');

test.each([
  ['the program is below the code', 'infra', ''],
  ['DAVIT_HOME names the code', undefined, CODE],
  ['DAVIT_HOME is out of date', 'infra', '/nowhere'],
])('pulumi-language-nodejs starts in the cache when %s', async (_what, below, home) => {
  const { launcher, folder } = await makeCache();
  const { stdout, code } = await launch(launcher, below === undefined ? folder : join(CODE, below), home);
  expect(stdout).toMatch(/^\d+\n$/); // the port it listens on
  expect(code).toBe(0);
});

test('pulumi-language-nodejs says what is missing when it cannot find the code', async () => {
  const { launcher, folder } = await makeCache();
  const { stderr, code } = await launch(launcher, folder, '');
  expect(stderr).toContain(`there is no offline/language-nodejs.ts above ${folder}, expected DAVIT_HOME to name`);
  expect(code).toBe(1);
});

test('readProviderPackages() reads the providers of a program from its direct dependencies, and nothing of the others', async () => {
  const manifest = JSON.parse(await readFile(join(CODE, 'package.json'), 'utf8')) as {
    readonly dependencies: Readonly<Record<string, string>>;
  };
  const providers = ['docker', 'kubernetes'].map((name) => ({
    name,
    version: manifest.dependencies[`@pulumi/${name}`],
    server: '',
  }));
  expect(await readProviderPackages(join(CODE, 'infra'))).toEqual(providers);
});

async function makeCache() {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'davit-host-')));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, 'bin'));
  const launcher = join(folder, 'bin', 'pulumi-language-nodejs');
  await copyFile(join(CODE, 'offline', 'pulumi-language-nodejs'), launcher);
  return { folder, launcher };
}

/** Starts it as the engine does and closes its pipe after the first line, as an engine that ends does. */
async function launch(launcher: string, cwd: string, home: string) {
  const child = spawn(launcher, ['127.0.0.1:1'], { cwd, env: { ...process.env, DAVIT_HOME: home } });
  const said = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said.stdout += text;
    child.stdin.end();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said.stderr += text));
  const [code] = (await once(child, 'close')) as [number | null];
  return { ...said, code };
}
