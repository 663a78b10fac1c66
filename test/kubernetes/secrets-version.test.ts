import { expect, test } from 'vitest';
import type { Answer, KubernetesApi } from '../../kubernetes/api.ts';
import type { Question } from '../../kubernetes/connection.ts';
import { explainMissingSecrets, readSecretVersions } from '../../kubernetes/secrets-version.ts';

/** Answers for Secrets as the API server does when only their metadata is asked for. */
function makeFake(secrets: Readonly<Record<string, object | number>>) {
  const asked: Question[] = [];
  const send = (question: Question): Promise<Answer> => {
    asked.push(question);
    const found = secrets[question.path.split('/').at(-1) ?? ''];
    if (typeof found === 'number') return Promise.resolve({ status: found, headers: {}, body: '{}' });
    const body = JSON.stringify({ metadata: found });
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

test('a version changes when the Secret is written or made anew, and only its metadata is read', async () => {
  const versions = async (metadata: object) => {
    const { api, asked } = makeFake({ team: metadata });
    const read = await readSecretVersions(api, { namespace: 'models', names: ['team', 'gone'] });
    expect(asked.every((a) => a.headers?.['accept']?.includes('PartialObjectMetadata'))).toBe(true);
    expect(read['gone']).toBe('');
    return read['team'];
  };
  const seen = [
    await versions(TEAM),
    await versions(TEAM),
    await versions({ ...TEAM, resourceVersion: '2' }),
    await versions({ ...TEAM, uid: 'b' }),
  ];
  expect(new Set(seen).size).toBe(3);
  expect(seen[0]).toBe(seen[1]);
  expect(seen[0]).toMatch(/^[0-9a-f]{10}$/);
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
  [
    'an empty one',
    [['empty', 'a']],
    ['Cannot find "a" in the Secret "empty" of the namespace models: expected one of some, and it is empty'],
  ],
  ['one without notes of who wrote what', [['bare', 'a']], []],
] satisfies readonly [string, readonly (readonly [string, string])[], readonly string[]][])(
  'explainMissingSecrets(): %s',
  async (_, wanted, sentences) => {
    const empty = { managedFields: [{ manager: 'kubectl', fieldsV1: { 'f:type': {} } }] };
    const { api } = makeFake({ team: TEAM, empty, bare: { uid: 'c' } });
    const keys = wanted.map(([secret, key]) => ({ secret, key }));
    expect(await explainMissingSecrets(api, { namespace: 'models', wanted: keys })).toEqual(sentences);
  },
);

test('who may not look is told so', async () => {
  const { api } = makeFake({ team: 403 });
  await expect(readSecretVersions(api, { namespace: 'models', names: ['team'] })).rejects.toThrow(
    'Cannot read the version of the Secret "team" in models: the API server answers 403, expected that you may get its metadata',
  );
});
