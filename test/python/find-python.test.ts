import { mkdirSync, mkdtempSync, realpathSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { listPythons } from '../../python/find-python.ts';

afterEach(() => vi.unstubAllEnvs());

/** Writes a stand-in for an interpreter of a version that no machine has. */
function writePython(folder: string, name: string): string {
  const file = join(folder, 'bin', name);
  mkdirSync(join(folder, 'bin'), { recursive: true });
  writeFileSync(file, `#!/bin/sh\nprintf '%s\\t3.99.1\\n' "$0"\n`, { mode: 0o755 });
  return file;
}

function makeFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'davit-python-')));
  for (const name of ['PATH', 'XDG_DATA_HOME', 'UV_PYTHON_INSTALL_DIR']) vi.stubEnv(name, join(folder, 'none'));
  vi.stubEnv('PYENV_ROOT', folder);
  return folder;
}

test('listPythons() finds the base Python of a virtualenv with copies', async () => {
  const folder = makeFolder();
  const env = join(folder, 'versions', '3.99.1');
  writePython(env, 'python3');
  writeFileSync(join(env, 'pyvenv.cfg'), `home = ${join(folder, 'base', 'bin')}\nversion = 3.99.1\n`);
  expect(await listPythons('3.99')).toEqual([]);
  const base = writePython(join(folder, 'base'), 'python3.99');
  expect(await listPythons('3.99')).toEqual([{ executable: base, version: '3.99.1' }]);
});

test('listPythons() finds a Python outside a virtualenv by its own path', async () => {
  const own = writePython(join(makeFolder(), 'versions', '3.99.1'), 'python3');
  expect(await listPythons('3.99')).toEqual([{ executable: own, version: '3.99.1' }]);
});
