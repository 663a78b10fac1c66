import { mkdir, mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { makeReadable } from '../../python/make-readable.ts';

test('makeReadable() opens what root has made with a private umask, and nothing behind a link', async () => {
  const root = await mkdtemp(join(tmpdir(), 'davit-readable-'));
  onTestFinished(() => rm(root, { recursive: true }));
  onTestFinished(() => void vi.restoreAllMocks());
  const folder = join(root, 'virtualenv');
  await mkdir(join(folder, 'lib'), { recursive: true, mode: 0o700 });
  await writeFile(join(folder, 'lib', 'a.py'), '', { mode: 0o600 });
  await writeFile(join(folder, 'run'), '', { mode: 0o700 });
  await writeFile(join(root, 'secret'), '', { mode: 0o600 });
  await symlink(join(root, 'secret'), join(folder, 'python'));
  const modes = async () =>
    Promise.all(['lib', 'lib/a.py', 'run', '../secret'].map(async (f) => (await stat(join(folder, f))).mode & 0o777));
  const uid = vi.spyOn(process, 'getuid').mockReturnValue(1000);
  await makeReadable(folder);
  expect(await modes()).toEqual([0o700, 0o600, 0o700, 0o600]);
  uid.mockReturnValue(0);
  await makeReadable(folder);
  expect(await modes()).toEqual([0o755, 0o644, 0o755, 0o600]);
});
