import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { startAnswersBesideProof } from '../../../validation/comparison/answer-beside-proof.ts';
import type { RunnableVersion } from '../../../validation/comparison/predict-side-by-side.ts';
import { makeSubject } from '../../../validation/subject.ts';
import { makeEndpoint } from '../throw-away-project.ts';

const endpoint = makeEndpoint('e', { m: 'm/1' });
const subject = makeSubject(endpoint, endpoint.entities[0]!);
const root = await mkdtemp(join(tmpdir(), 'davit-beside-'));
/** The lock of these versions has no virtualenv, so a run cannot start. */
const STARTED = 'Cannot find the virtualenv';
afterAll(() => rm(root, { recursive: true }));

/** A model whose files have so many bytes, most of them in holes. */
async function makeModel(bytes: number): Promise<string> {
  const folder = join(root, String(bytes));
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'weights.bin'), '');
  await truncate(join(folder, 'weights.bin'), bytes);
  return folder;
}

function makeVersion(folder: string, services: RunnableVersion['services'] = []): RunnableVersion {
  const model = { name: 'm', version: '1', digest: 'd', python_version: '3.11' };
  const signature = { inputs: null, outputs: null, params: null };
  return {
    ...{ subject, services, locked: { model, requirements: [], virtualenv: 'v', signature }, folder },
    ...{ lock: { version: 1, entities: {}, virtualenvs: {} } as unknown as RunnableVersion['lock'] },
  };
}

test('a proof that may reach services answers nothing more, because it tells how its run used each service', async () => {
  const folder = await makeModel(1);
  const start = (services: RunnableVersion['services']) =>
    startAnswersBesideProof(makeVersion(folder), makeVersion(folder, services), {});
  await expect(start([])).rejects.toThrow(STARTED);
  expect(await start([{ host: 'a.example', port: 443 }])).toBeUndefined();
});

test('large versions are not loaded at the same time', async () => {
  const [small, large] = await Promise.all([1, totalmem() / 8].map(async (n) => makeVersion(await makeModel(n))));
  await expect(startAnswersBesideProof(small!, small!, {})).rejects.toThrow(STARTED);
  expect(await startAnswersBesideProof(large!, small!, {})).toBeUndefined();
  expect(await startAnswersBesideProof(small!, large!, {})).toBeUndefined();
});
