import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { ApiResponse, KubernetesApi } from '../../../kubernetes/client/api.ts';
import type { ApiRequest } from '../../../kubernetes/client/connection.ts';
import { explainMissingSecrets, readSecretVersions } from '../../../kubernetes/client/secret-versions.ts';

/** Makes an API with the API server's responses to requests for the metadata of Secrets. */
function makeFake(secrets: Readonly<Record<string, object | number>>, data: object = {}) {
  const asked: ApiRequest[] = [];
  const send = (question: ApiRequest): Promise<ApiResponse> => {
    asked.push(question);
    const found = secrets[question.path.split('/').at(-1) ?? ''];
    if (typeof found === 'number') return Promise.resolve({ status: found, headers: {}, body: '{}' });
    const isWhole = !question.headers?.['accept']?.includes('PartialObjectMetadata');
    const body = JSON.stringify({ metadata: found, ...(isWhole && { data }) });
    return Promise.resolve(found ? { status: 200, headers: {}, body } : { status: 404, headers: {}, body: '{}' });
  };
  return { api: { send } as unknown as KubernetesApi, asked };
}

const TEAM = {
  uid: 'a',
  resourceVersion: '1',
  managedFields: [
    { manager: 'kubectl', fieldsV1: { 'f:data': { '.': {}, 'f:token': {} }, 'f:type': {} } },
    { manager: 'operator', fieldsV1: { 'f:data': { 'f:url': {} } } },
    { manager: 'labels', fieldsV1: { 'f:metadata': { 'f:labels': {} } } },
  ],
};

test('the word for a Secret changes with its data and with nothing else, and cannot be guessed without its uid', async () => {
  const version = async (metadata: object, data: object) => {
    const { api } = makeFake({ team: metadata }, data);
    const read = await readSecretVersions(api, { namespace: 'models', names: ['team', 'gone'] });
    expect(read['gone']).toEqual({ word: '', former: '' });
    return read['team']!;
  };
  const data = { password: 'MTIzNA==', user: 'YW5u' };
  const first = await version(TEAM, data);
  const relabelled = await version({ ...TEAM, resourceVersion: '2', labels: { a: 'b' } }, { ...data });
  expect(relabelled.word).toBe(first.word);
  expect(relabelled.former).not.toBe(first.former);
  expect((await version(TEAM, { user: 'YW5u', password: 'MTIzNA==' })).word).toBe(first.word); // any order
  expect((await version(TEAM, { ...data, password: 'MTIzNQ==' })).word).not.toBe(first.word);
  expect((await version({ ...TEAM, uid: 'b' }, data)).word).not.toBe(first.word);
  expect(first.word).toMatch(/^[0-9a-f]{10}$/);
  expect(first.former).toBe(createHash('sha256').update('a/1').digest('hex').slice(0, 10));
});

test.each([
  [
    'all is there',
    [
      ['team', 'token'],
      ['team', 'url'],
    ],
    [],
  ],
  [
    'no such Secret',
    [
      ['gone', 'a'],
      ['gone', 'b'],
      ['gone', 'a'],
    ],
    ['Cannot find the Secret "gone" in the namespace models: expected one with "a", "b"'],
  ],
  [
    'no such key',
    [
      ['team', 'tokn'],
      ['team', 'url'],
    ],
    ['Cannot find "tokn" in the Secret "team" of the namespace models: expected one of token, url'],
  ],
  ['an empty one', [['empty', 'a']], ['Cannot find "a" in the Secret "empty" of the namespace models: it is empty']],
  ['one without notes of who wrote what', [['bare', 'a']], []],
] satisfies readonly [string, readonly (readonly [string, string])[], readonly string[]][])(
  'explainMissingSecrets(): %s',
  async (_, wanted, sentences) => {
    const empty = { managedFields: [{ manager: 'kubectl', fieldsV1: { 'f:type': {} } }] };
    const { api, asked } = makeFake({ team: TEAM, empty, bare: { uid: 'c' } });
    const keys = wanted.map(([secret, key]) => ({ secret, key }));
    expect(await explainMissingSecrets(api, { namespace: 'models', wanted: keys })).toEqual(sentences);
    expect(asked.every((a) => a.headers?.['accept']?.includes('PartialObjectMetadata'))).toBe(true);
  },
);

test('without permission, the error names the missing permission', async () => {
  const { api } = makeFake({ team: 403 });
  await expect(readSecretVersions(api, { namespace: 'models', names: ['team'] })).rejects.toThrow(
    'Cannot read the version of the Secret "team" in models: the API server answers 403, expected permission to read it',
  );
});
