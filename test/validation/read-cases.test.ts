import { mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { parseEndpoint } from '../../schemas/endpoint/parse-endpoint.ts';
import { checkModel } from '../../validation/model/check-model.ts';
import { resolvePolicy } from '../../validation/policy.ts';
import { makeSubject } from '../../validation/subject.ts';
import { readCases } from '../../validation/read-cases.ts';
import { makeEndpoint, makeProject, writeFiles } from './throw-away-project.ts';

const REQUEST = '{"inputs": [[1, 2]]}';

async function read(
  validation: unknown,
  files: Readonly<Record<string, string>> = {},
  prepare?: (root: string) => Promise<void>,
) {
  const root = await makeProject({ 'm/1': 'i_no_example' });
  await writeFiles(root, files);
  await prepare?.(root);
  const endpoint = makeEndpoint('e', { m: 'm/1' }, { m: { validation } });
  const { cases, diagnostics } = await readCases(makeSubject(endpoint, endpoint.entities[0]!), root);
  return { cases, messages: diagnostics.map((d) => `${d.code}: ${d.message}`), root, endpoint };
}

test.each([
  [
    'a row by column, as mlflow.models.predict takes it',
    { col1: 34.2, col3: 'green' },
    '{"inputs":{"col1":34.2,"col3":"green"}}',
  ],
  ['a whole request', { dataframe_records: [{ a: 1 }] }, '{"dataframe_records":[{"a":1}]}'],
  ['the form of language models', { messages: [] }, '{"messages":[]}'],
  ['a list', [[1, 2]], '{"inputs":[[1,2]]}'],
  ['a text, which is the whole body', REQUEST, REQUEST],
])('input_data is %s', async (_what, input, body) => {
  const { cases } = await read({ input_data: input });
  expect(cases).toEqual([{ name: 'default', content_type: 'json', input: body }]);
});

test('several cases by name, from files too, each with what is expected', async () => {
  const { cases, messages } = await read(
    {
      input_data: [1],
      cases: {
        table: { input_path: 'endpoints/requests/a.csv', expect: [1, null] },
        'saved with the model': { input_path: './models/m/1/request.json' },
      },
    },
    { 'endpoints/requests/a.csv': 'a,b\n1,2\n', 'models/m/1/request.json': REQUEST },
  );
  expect(messages).toEqual([]);
  expect(cases).toEqual([
    { name: 'default', content_type: 'json', input: '{"inputs":[1]}' },
    { name: 'table', content_type: 'csv', input: 'a,b\n1,2\n', expect: '[1,null]' },
    { name: 'saved with the model', content_type: 'json', input: REQUEST },
  ]);
});

test.each([
  ['endpoints/none.json', 'unreadable-file: Cannot read endpoints/none.json: there is no such file'],
  ['endpoints', 'bad-value: Cannot use endpoints as an input: expected a file in endpoints/ or models/'],
  ['models/m', 'unreadable-file: Cannot read models/m: there is no such file'],
  [
    'models/../secret.json',
    'bad-value: Cannot use models/../secret.json as an input: expected a file in endpoints/ or models/',
  ],
  ['/etc/hostname', 'bad-value: Cannot use /etc/hostname as an input: expected a file in endpoints/ or models/'],
  ['models/bad.json', /^bad-value: Cannot use the input of the validation case "default": it is not JSON/],
  ['models/bytes.json', 'unreadable-file: Cannot read models/bytes.json: it is not UTF-8 text'],
  ['models/large.json', 'bad-value: Cannot use models/large.json as an input: it has 33 KiB, expected at most 32 KiB'],
])('input_path %s is refused', async (path, message) => {
  const { cases, messages } = await read(
    { input_path: path },
    { 'models/bad.json': '{', 'models/large.json': 'x'.repeat(33 << 10), 'secret.json': '{}' },
    (root) => writeFile(join(root, 'models/bytes.json'), Buffer.from([0xff, 0xfe])),
  );
  expect(cases).toEqual([]);
  expect(messages).toEqual([typeof message === 'string' ? message : (expect.stringMatching(message) as string)]);
});

test.each([
  ['a file outside the project', 'models/link.json', '/etc/hostname'],
  ['a file of the project that nobody reviews', 'endpoints/x.csv', '../.env'],
  ['a folder of the project', 'endpoints/requests', '../.davit', 'endpoints/requests/passphrase'],
  ['a folder in the place of models/', 'models', '.davit', 'models/passphrase'],
])('a link to %s is refused', async (_what, link, target, path = link) => {
  const { cases, messages } = await read(
    { input_path: path, content_type: 'csv' },
    { '.env': 'SECRET=1', '.davit/passphrase': 'secret' },
    async (root) => {
      await rename(join(root, link), join(root, 'before')).catch(() => undefined);
      await mkdir(join(root, dirname(link)), { recursive: true });
      await symlink(target, join(root, link));
    },
  );
  expect(cases).toEqual([]);
  expect(messages).toEqual([
    `unreadable-file: Cannot read ${path}: a symbolic link leads out of endpoints/ and models/, expected a file in endpoints/ or models/`,
  ]);
});

test('a link between the reviewed folders is followed', async () => {
  const { cases } = await read(
    { input_path: 'endpoints/a.json' },
    { 'models/m/1/request.json': REQUEST },
    async (root) => {
      await mkdir(join(root, 'endpoints'), { recursive: true });
      await symlink('../models/m/1/request.json', join(root, 'endpoints/a.json'));
    },
  );
  expect(cases).toMatchObject([{ input: REQUEST }]);
});

test('all cases together have a limit', async () => {
  const text = (i: number) => [`case ${i}`, { input_data: 'x'.repeat(20 << 10), content_type: 'csv' }];
  const { messages } = await read({ cases: Object.fromEntries([1, 2].map(text)) as object });
  expect(messages).toEqual([
    'bad-value: Cannot use the validation cases of "m": they have 41 KiB, expected at most 32 KiB together',
  ]);
});

test('a model with a validation case needs no example', async () => {
  const { root, endpoint } = await read({ input_data: [[1]] });
  const subject = makeSubject(endpoint, endpoint.entities[0]!);
  const { checked, diagnostics } = await checkModel(subject, join(root, 'models/m/1'), {
    root,
    policy: resolvePolicy(),
  });
  expect(diagnostics.map((d) => d.code)).toEqual(['signature-missing']);
  expect(checked?.cases).toHaveLength(1);
});

test.each([
  [
    '{}',
    '8:7 error missing-field Cannot find an input in "davit.served_entities.m.validation": expected input_data or input_path',
  ],
  [
    '{ input_data: 1, input_path: a }',
    '8:36 error conflicting-fields Cannot use both input_data and input_path in "davit.served_entities.m.validation": expected one or the other',
  ],
  [
    '{ cases: { a: { expect: 1 } } }',
    '8:30 error missing-field Cannot find an input in "davit.served_entities.m.validation.cases.a": expected input_data or input_path',
  ],
  [
    '{ input_data: [1], content_type: csv }',
    '8:33 error wrong-type Cannot use input_data of "davit.served_entities.m.validation" as csv: expected a text with a header line',
  ],
])('the endpoint file is checked: %s', (validation, expected) => {
  expect(parseCase(validation)).toEqual([expected]);
});

function parseCase(validation: string): readonly string[] {
  const head = 'name: e\nconfig:\n  served_entities:\n    - { name: m, entity_name: m, entity_version: 1 }\n';
  const text = `${head}davit:\n  served_entities:\n    m:\n      validation: ${validation}\n`;
  const { diagnostics } = parseEndpoint(text, 'endpoints/e.yaml');
  return diagnostics.map((d) => `${d.line}:${d.column} ${d.severity} ${d.code} ${d.message}`);
}

const AT = 'davit.served_entities.m.validation';
const EXACT = 'a lock cannot contain it exactly, expected a finite number, as an integer at most 9007199254740991';

test.each([
  ['{ input_data: [1, 9007199254740993] }', '8:37', '9007199254740993', `${AT}.input_data[1]`],
  ['{ input_data: { a: .nan } }', '8:38', '.nan', `${AT}.input_data.a`],
  ['{ input_data: { 9007199254740993: 1 } }', '8:35', '9007199254740993', `${AT}.input_data`],
  ['{ input_data: 1, expect: [[-.inf]] }', '8:46', '-.inf', `${AT}.expect[0][0]`],
  ['{ cases: { a: { input_data: 0xFFFFFFFFFFFFFFFF } } }', '8:47', '0xFFFFFFFFFFFFFFFF', `${AT}.cases.a.input_data`],
  ['{ cases: { a: &c { input_data: 1e400 }, b: *c } }', '8:50', '1e400', `${AT}.cases.a.input_data`],
])('a number that JSON changes is refused: %s', (validation, place, number, path) => {
  expect(parseCase(validation)).toEqual([`${place} error bad-value Cannot use ${number} in "${path}": ${EXACT}`]);
});

test('a number that JSON keeps is no problem, nor any number in a text', () => {
  const numbers = '[9007199254740991, -9007199254740991, 1.5e17, 6.02e+23, 9007199254740993.0, 0x1F, -0]';
  expect(parseCase(`{ input_data: ${numbers}, expect: ".nan" }`)).toEqual([]);
  expect(parseCase(`{ input_data: '{"inputs": [9007199254740993]}' }`)).toEqual([]);
});
