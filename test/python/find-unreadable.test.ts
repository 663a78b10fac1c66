import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { findUnreadable } from '../../python/find-unreadable.ts';

it('findUnreadable() finds what a private umask hides from other users', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'davit-unreadable-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const [inside, file] = [join(folder, 'lib'), join(folder, 'lib', 'a.py')];
  await mkdir(inside);
  await writeFile(file, '');
  await symlink('/nowhere', join(folder, 'link'));
  for (const [path, mode] of [
    [folder, 0o755],
    [inside, 0o755],
    [file, 0o644],
  ] as const)
    await chmod(path, mode);
  expect(await findUnreadable(folder)).toBeUndefined();
  expect(await findUnreadable(join(folder, 'none'))).toBeUndefined();
  await chmod(file, 0o600);
  expect(await findUnreadable(folder)).toBe(file);
  await chmod(inside, 0o700);
  expect(await findUnreadable(folder)).toBe(inside);
});
