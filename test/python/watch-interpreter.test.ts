import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { watchInterpreter } from '../../python/watch-interpreter.ts';

test.each([
  ['bin/python', true],
  ['bin/python3', true],
  ['pyvenv.cfg', true],
  ['bin/python-argcomplete', false],
])('a virtualenv where a wheel writes %s is refused: %s', async (file, isRefused) => {
  const folder = mkdtempSync(join(tmpdir(), 'davit-interpreter-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, 'bin'));
  for (const name of ['python', 'python3']) symlinkSync(process.execPath, join(folder, 'bin', name));
  writeFileSync(join(folder, 'pyvenv.cfg'), 'home = /usr/bin\n');
  const check = await watchInterpreter(folder);
  rmSync(join(folder, file), { force: true });
  writeFileSync(join(folder, file), '');
  if (isRefused) await expect(check()).rejects.toThrow(`a wheel replaces ${file} of the virtualenv`);
  else await check();
});
