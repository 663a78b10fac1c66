import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { followPaths, listEndpointPaths, makeChangeDetector } from '../../../action/deploy/change-detector.ts';
import { makeRepository } from './repository.ts';

it('takes what the links of an endpoint and of its environment lead to for a part of it', async () => {
  const root = mkdtempSync(join(tmpdir(), 'davit-detector-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const { write, commit } = makeRepository(root);
  write({ 'shared/iris.yaml': '1', 'config/prod.yaml': '1', 'endpoints/wine.yaml': '1' });
  symlinkSync('../shared/iris.yaml', join(root, 'endpoints/iris.yaml'));
  symlinkSync('config', join(root, 'environments'));
  const deployed = commit();
  write({ 'shared/iris.yaml': '2' });
  const second = commit();
  const history = { root, signal: new AbortController().signal };
  const place = { root, endpoints: 'endpoints' };
  const project = { history, place, names: ['iris', 'wine'], endpoints: [] };
  const find = async (sha: string) => {
    const isChanged = makeChangeDetector(project, 'prod');
    return [await isChanged('iris', sha), await isChanged('wine', sha)];
  };
  expect(await find(deployed)).toEqual([true, false]);
  expect(await find(second)).toEqual([false, false]);
  write({ 'config/prod.yaml': '2' });
  commit();
  expect(await find(second)).toEqual([true, true]);
  const declared = listEndpointPaths('iris', undefined, { place, environment: 'prod' });
  expect(await followPaths(root, declared)).toEqual([
    ...['endpoints/iris.yaml', 'endpoints/iris.lock', 'environments/prod.yaml'],
    ...['shared/iris.yaml', 'config/prod.yaml'],
  ]);
});
