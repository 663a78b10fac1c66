import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseEndpoint } from '../../schemas/endpoint/parse-endpoint.ts';
import type { Lock } from '../../schemas/lock/lock.ts';
import { pinVersions } from '../../schemas/lock/pin-versions.ts';
import { findModelFolder, locateDownload, readInputExample } from '../../system/locate-model.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'davit-model-'));
});
afterEach(() => rm(folder, { recursive: true }));

test.each([
  ['{"inputs": [1]}', '{"inputs": [1]}'],
  ['{"inputs": [NaN]}', undefined],
  ['{"inputs": [-Infinity]}', undefined],
])('readInputExample() gives what a client can send: %s', async (saved, example) => {
  await writeFile(join(folder, 'serving_input_example.json'), saved);
  expect(await readInputExample(folder)).toBe(example);
});

test('readInputExample() gives nothing of a model without one', async () => {
  expect(await readInputExample(folder)).toBeUndefined();
});

const DIGEST = `sha256:${'0a'.repeat(32)}`;

/** The folder that a deployment reads for a model of an endpoint file, where a lock holds `model`. */
function findDeployedFolder(version: string, model: Partial<Lock['entities'][string]['model']>): string {
  const text = `name: e\nconfig:\n  served_entities:\n    - name: m\n      entity_name: iris\n      entity_version: "${version}"\n`;
  const { endpoint } = parseEndpoint(text, 'endpoints/e.yaml');
  const locked = { name: 'iris', version: '3', digest: DIGEST, python_version: '3.12.1', ...model };
  const signature = { inputs: null, outputs: null, params: null };
  const entities = { m: { model: locked, requirements: [], virtualenv: 'python3.12-0123456789', signature } };
  const [entity] = pinVersions(endpoint!, { lock_version: 1, endpoint: 'e', entities, virtualenvs: {} }).entities;
  return findModelFolder(folder, { ...entity!.model, digest: DIGEST });
}

test('a deployment reads the model that the registry gave for an alias, and no folder of that version', async () => {
  await mkdir(join(folder, 'models/iris/3'), { recursive: true });
  const resolved = { from: '@champion', version: '3', at: '2026-11-30T04:20:11Z' };
  expect(findDeployedFolder('@champion', { resolved })).toBe(locateDownload(DIGEST));
  expect(findDeployedFolder('3', {})).toBe(join(folder, 'models/iris/3'));
});
