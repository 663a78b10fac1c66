import { cp, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { digestModel, listIgnoredFiles } from '../../system/model-digest.ts';
import { makeProject, writeFiles } from '../validation/throw-away-project.ts';

test('digestModel() is about paths and bytes, not about where and when', async () => {
  const root = await makeProject({ 'iris/1': 'iris/1', 'iris/2': 'iris/2' });
  const model = join(root, 'models', 'iris', '1');
  const digest = await digestModel(model);
  expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
  await cp(model, join(root, 'copy'), { recursive: true });
  await writeFiles(join(root, 'copy'), { registered_model_meta: 'model_name: iris', 'code/__pycache__/x.pyc': 'x' });
  expect(await digestModel(join(root, 'copy'))).toBe(digest);
  expect(await digestModel(join(root, 'models', 'iris', '2'))).not.toBe(digest);
  await rename(join(root, 'copy', 'requirements.txt'), join(root, 'copy', 'requirement.txt'));
  expect(await digestModel(join(root, 'copy'))).not.toBe(digest);
});

test('digestModel() follows a link inside the model and refuses one that leads out', async () => {
  const root = await makeProject({ 'iris/1': 'iris/1' });
  const model = join(root, 'models', 'iris', '1');
  await symlink('requirements.txt', join(model, 'inside.txt'));
  expect(await digestModel(model)).toMatch(/^sha256:/);
  await writeFile(join(root, 'secret'), '');
  await symlink(join(root, 'secret'), join(model, 'outside.txt'));
  await expect(digestModel(model)).rejects.toThrow("the link outside.txt points outside the model's directory");
});

test('digestModel() refuses a link to a folder and one that leads nowhere', async () => {
  const root = await makeProject({ 'iris/1': 'iris/1', 'iris/2': 'iris/2' });
  const [one, two] = ['1', '2'].map((v) => join(root, 'models', 'iris', v)) as [string, string];
  await mkdir(join(one, 'folder'));
  await symlink('folder', join(one, 'again'));
  await expect(digestModel(one)).rejects.toThrow('the link again does not point to a file');
  await symlink('nothing', join(two, 'broken'));
  await expect(digestModel(two)).rejects.toThrow('the link broken has no target');
});

test('digestModel() refuses what is neither, such as a pipe, which would keep it waiting', async () => {
  const root = join(await makeProject({ 'iris/1': 'iris/1' }), 'models', 'iris', '1');
  const server = createServer();
  await new Promise<void>((done) => server.listen(join(root, 'pipe'), done));
  await expect(digestModel(root)).rejects.toThrow('pipe is neither a file nor a folder');
  server.close();
});

test('what the digest leaves out is listed, to be hidden from a proof, and no link leads there', async () => {
  const model = join(await makeProject({ 'iris/1': 'iris/1' }), 'models', 'iris', '1');
  await writeFiles(model, { registered_model_meta: 'x', 'code/__pycache__/x.pyc': 'x', 'code/__pycache__/y/z.py': '' });
  const ignored = ['registered_model_meta', 'code/__pycache__'].map((name) => join(model, name));
  expect((await listIgnoredFiles(model)).toSorted()).toEqual(ignored.toSorted());
  await symlink('code/__pycache__/x.pyc', join(model, 'inside.pkl'));
  await expect(digestModel(model)).rejects.toThrow(
    'the link inside.pkl points to a file that is not part of the model',
  );
  await rm(join(model, 'inside.pkl'));
  await symlink('/usr', join(model, '__pycache__'));
  await expect(digestModel(model)).rejects.toThrow('__pycache__ is neither a file nor a folder');
});
