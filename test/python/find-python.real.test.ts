import { realpath } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { findNewestPython, findPython, listPythons, minorVersion } from '../../python/find-python.ts';
import { runProcess } from '../../system/run-process.ts';

test('listPythons() finds interpreters by their own path, oldest first, each version once', async () => {
  const pythons = await listPythons();
  expect(pythons.length).toBeGreaterThan(0);
  expect(new Set(pythons.map((p) => p.version)).size).toBe(pythons.length);
  for (const { executable, version } of pythons) {
    expect(await realpath(executable)).not.toMatch(/shims/);
    expect((await runProcess(executable, ['--version'])).stdout.trim()).toBe(`Python ${version}`);
  }
});

test('findPython() takes the very patch when it is here, else the nearest of the same minor version', async () => {
  const pythons = await listPythons();
  for (const python of pythons) expect(await findPython(python.version)).toEqual(python);
  const newest = pythons.at(-1)!;
  const minor = minorVersion(newest.version);
  expect(await findPython(minor)).toEqual(newest);
  expect(minorVersion((await findPython(`${minor}.99`))!.version)).toBe(minor);
});

test('findNewestPython() takes the newest of a minor version, else the newest of all', async () => {
  const pythons = await listPythons();
  for (const minor of pythons.map((p) => minorVersion(p.version)))
    expect(await findNewestPython(minor)).toEqual(pythons.findLast((p) => minorVersion(p.version) === minor));
  expect(await findNewestPython('2.7')).toEqual(pythons.at(-1));
});
