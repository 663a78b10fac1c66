import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import {
  ensureVirtualenv,
  isVirtualenvComplete,
  locateVirtualenv,
  type VirtualenvRequest,
} from '../../python/ensure-virtualenv.ts';
import { findPython, listPythons } from '../../python/find-python.ts';
import { findUv } from '../../python/find-uv.ts';
import { parseLockedRequirements } from '../../python/ensure-front-virtualenv.ts';
import { withFileLock } from '../../system/locks/file-lock.ts';
import { runProcess } from '../../system/run-process.ts';
import { writeWheel } from '../helpers/write-package.ts';

let folder = '';
let uvFolder = '';
let request: VirtualenvRequest;

beforeEach(async () => {
  // The uv of the shared cache; everything else in a cache of this test's own.
  const uv = await findUv();
  uvFolder = join(uv, '..');
  vi.stubEnv('PATH', `${uvFolder}:${process.env['PATH'] ?? ''}`);
  folder = await mkdtemp(join(tmpdir(), 'davit-venv-'));
  vi.stubEnv('DAVIT_CACHE', folder);
  const python = (await listPythons('3.11'))[0] ?? (await findPython('3'))!;
  const compiled = await runProcess(
    uv,
    ['pip', 'compile', '-q', '--generate-hashes', '--python', python.executable, '-'],
    {
      input: 'humanize==4.9.0\nclick==8.1.7\n',
    },
  );
  request = { python: python.version, platform: 'here', packages: parseLockedRequirements(compiled.stdout) };
}, 120_000);
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

function versions(python: string): string {
  const code = 'import importlib.metadata as m; print(sorted((d.name, d.version) for d in m.distributions()))';
  return execFileSync(python, ['-c', code], { encoding: 'utf8' }).trim();
}

test(
  'ensureVirtualenv() holds the packages of the request and nothing else, and is found again',
  { timeout: 60_000 },
  async () => {
    const made = await ensureVirtualenv(request);
    expect(versions(made.python)).toBe("[('click', '8.1.7'), ('humanize', '4.9.0')]");
    expect(made.pythonVersion).toBe(request.python);
    expect(await locateVirtualenv(request)).toEqual(made);
    expect(await ensureVirtualenv(request)).toEqual(made);
    expect(await readdir(join(folder, 'virtualenvs'))).toEqual([made.key]);
  },
);

test('ensureVirtualenv() never trusts a half-made one, and remakes what was deleted', { timeout: 60_000 }, async () => {
  const { folder: place } = (await locateVirtualenv(request))!;
  await mkdir(join(place, 'bin'), { recursive: true });
  await writeFile(join(place, 'bin', 'python'), '');
  const made = await ensureVirtualenv(request);
  expect(versions(made.python)).toContain('humanize');
  await rm(join(place, 'bin'), { recursive: true });
  expect(await isVirtualenvComplete(made)).toBe(false);
  expect(versions((await ensureVirtualenv(request)).python)).toContain('humanize');
});

test(
  'ensureVirtualenv() makes one virtualenv when two processes ask at once, and says for whom they wait',
  { timeout: 60_000 },
  async () => {
    const program = `
    import { ensureVirtualenv } from ${JSON.stringify(join(import.meta.dirname, '../../python/ensure-virtualenv.ts'))};
    const request = ${JSON.stringify(request)};
    const made = await ensureVirtualenv(request, { progress: { say: (l) => console.error(l) } });
    console.log(made.key);`;
    const waiting = `Waiting for process ${process.pid.toString()}, which is making the same virtualenv …`;
    // This process has the lock until both wait for it: so they do ask at once.
    const { folder: place } = (await locateVirtualenv(request))!;
    const lock = Promise.withResolvers<undefined>();
    const held = withFileLock(`${place}.lock`, () => lock.promise);
    let waits = 0;
    const run = () =>
      runProcess(process.execPath, ['--input-type=module-typescript', '-e', program], {
        onLine: (line) => {
          if (line === waiting && ++waits === 2) lock.resolve(undefined);
        },
      });
    const [a, b] = await Promise.all([run(), run(), held]);
    expect([a.code, b.code]).toEqual([0, 0]);
    expect(a.stdout).toBe(b.stdout);
    const said = a.stderr + b.stderr;
    expect(said.match(/Making a virtualenv of 2 packages for Python [\d.]+ …/g)).toHaveLength(1);
    expect(waits).toBe(2);
  },
);

test('ensureVirtualenv() goes on after a process that was killed in the middle', { timeout: 60_000 }, async () => {
  const program = `
    import { ensureVirtualenv } from ${JSON.stringify(join(import.meta.dirname, '../../python/ensure-virtualenv.ts'))};
    await ensureVirtualenv(${JSON.stringify(request)});`;
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', program], { stdio: 'ignore' });
  const { folder: place } = (await locateVirtualenv(request))!;
  while (!existsSync(join(place, 'pyvenv.cfg'))) await new Promise((done) => setTimeout(done, 5));
  child.kill('SIGKILL');
  await new Promise((done) => child.on('exit', done));
  expect(versions((await ensureVirtualenv(request)).python)).toContain('humanize');
});

test('ensureVirtualenv() refuses files that the lock does not name', { timeout: 60_000 }, async () => {
  const packages = request.packages.map((p) => ({ ...p, hashes: [`sha256:${'0'.repeat(64)}`] }));
  await expect(ensureVirtualenv({ ...request, packages })).rejects.toMatchObject({ kind: 'install-failed' });
  const left = await locateVirtualenv({ ...request, packages });
  expect(await isVirtualenvComplete(left!)).toBe(false);
});

test('ensureVirtualenv() lists the Pythons there are when none fits', { timeout: 180_000 }, async () => {
  vi.stubEnv('UV_PYTHON_INSTALL_MIRROR', 'http://127.0.0.1:9');
  vi.stubEnv('UV_HTTP_RETRIES', '0');
  await expect(ensureVirtualenv({ ...request, python: '3.99.1' })).rejects.toMatchObject({
    kind: 'python-unavailable',
    message: expect.stringMatching(
      /^Cannot find Python 3\.99: this machine has .*3\.\d+\.\d+, and uv cannot download it$/,
    ) as string,
  });
});

async function makeWheel(model: string, name: string, files: Readonly<Record<string, string>>) {
  const source = `${name}-1.0-py3-none-any.whl`;
  writeWheel(join(model, source), files);
  const hash = createHash('sha256').update(await readFile(join(model, source)));
  return { name, version: '1.0', source, hashes: [`sha256:${hash.digest('hex')}`] };
}

test('a failed installation leaves no package whose code the next attempt would run', { timeout: 60_000 }, async () => {
  vi.stubEnv('UV_NO_CACHE', '1'); // uv then starts the virtualenv's Python for each installation
  const model = join(folder, 'model');
  await mkdir(model);
  const mark = join(folder, 'ran');
  const early = await makeWheel(model, 'early', {
    'early.pth': `import os; open(${JSON.stringify(mark)}, "w").close()\n`,
  });
  const filling = Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`late/f${i}.py`, '']));
  const late = await makeWheel(model, 'late', { ...filling, 'late-1.0.data/scripts/python': '' });
  const failing = ensureVirtualenv({ ...request, packages: [early, late], modelFolder: model });
  await expect(failing).rejects.toThrow('Cannot install the packages of the lock');
  expect(existsSync(mark)).toBe(false);
});

test("a wheel cannot replace the virtualenv's interpreter or its settings", { timeout: 60_000 }, async () => {
  const model = join(folder, 'model');
  await mkdir(model);
  for (const file of ['bin/python', 'pyvenv.cfg']) {
    const wheel = await makeWheel(model, file.replace(/\W/, '_'), {
      [`${file.replace(/\W/, '_')}-1.0.data/data/${file}`]: '',
    });
    const made = ensureVirtualenv({ ...request, packages: [wheel], modelFolder: model });
    await expect(made, file).rejects.toThrow(/^Cannot (?:install|use) the packages of the lock: /);
  }
});
