import { mkdtemp, realpath, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { makeImage, planProgramImage, readImage } from '../../../cluster/registry-images/oci-image.ts';

test('makeImage() gives the same image for the same bytes, whenever they were written', async () => {
  const folder = await makeFolder();
  const program = join(folder, 'program');
  await writeFile(program, 'one', { mode: 0o755 });
  await makeImage(planProgramImage(program, { name: 'test/program' }), join(folder, 'a'));
  await utimes(program, 1, 1);
  await makeImage(planProgramImage(program, { name: 'test/program' }), join(folder, 'b'));
  const [a, b] = [await readImage(join(folder, 'a')), await readImage(join(folder, 'b'))];
  expect(b.digest).toBe(a.digest);
  await writeFile(program, 'two');
  await makeImage(planProgramImage(program, { name: 'test/program' }), join(folder, 'c'));
  expect((await readImage(join(folder, 'c'))).digest).not.toBe(a.digest);
});

test('readImage() names every layer by what was packed, the base first', async () => {
  const folder = await makeFolder();
  await writeFile(join(folder, 'program'), 'one', { mode: 0o755 });
  const plan = planProgramImage(join(folder, 'program'), { name: 'test/base', as: 'pause' });
  await makeImage(plan, join(folder, 'base'));
  await makeImage({ ...plan, name: 'test/above', base: join(folder, 'base') }, join(folder, 'above'));
  const [base, above] = [await readImage(join(folder, 'base')), await readImage(join(folder, 'above'))];
  expect(above.layers).toHaveLength(2);
  expect(above.layers[0]).toEqual(base.layers[0]);
  expect(JSON.parse(above.config)).toMatchObject({
    os: 'linux',
    config: { Entrypoint: ['/pause'], User: '65532' },
    rootfs: { diff_ids: above.layers.map((l) => l.diffId) },
  });
  expect(JSON.parse(above.manifest)).toMatchObject({
    schemaVersion: 2,
    layers: above.layers.map((l) => ({ digest: l.digest, size: l.bytes })),
  });
});

async function makeFolder(): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'davit-image-')));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
