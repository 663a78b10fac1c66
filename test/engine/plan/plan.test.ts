import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EngineEvent } from '@pulumi/pulumi/automation/index.js';
import { expect, test } from 'vitest';
import { digestResources } from '../../../engine/plan/digest-resources.ts';
import { makeFailures } from '../../../engine/plan/failures.ts';
import { makePlan } from '../../../engine/plan/plan.ts';
import { redactPair, redactValue, valueAt } from '../../../engine/plan/property-values.ts';
import { renderEvent } from '../../../engine/plan/render-event.ts';

const A = 'urn:pulumi:a.local::tiny::davit:tiny:Thing::a';
const B = 'urn:pulumi:a.local::tiny::davit:tiny:Thing::b';
const C = 'urn:pulumi:a.local::tiny::davit:tiny:Thing::c';
const type = 'davit:tiny:Thing';

test('makePlan() makes a plan of a recorded preview, without stacks, providers and secrets', () => {
  expect(makePlan('a.local', recorded('preview'))).toEqual({
    stack: 'a.local',
    resources: [
      {
        urn: A,
        type,
        name: 'a',
        operation: 'update',
        differences: [
          { path: 'labels[1]', change: 'add', replaces: false, old: undefined, new: 'y' },
          { path: 'password', change: 'update', replaces: false, old: '[secret]', new: '[secret]' },
        ],
      },
      {
        urn: C,
        type,
        name: 'c',
        operation: 'create',
        differences: [
          { path: 'content', change: 'add', replaces: false, old: undefined, new: 'two' },
          { path: 'folder', change: 'add', replaces: false, old: undefined, new: '/project/out' },
        ],
      },
      { urn: B, type, name: 'b', operation: 'delete', differences: [] },
    ],
    counts: { create: 1, update: 1, replace: 0, delete: 1, same: 0 },
    verdict: {
      kind: 'update-in-place',
      words: 'update in place: a (labels[1], password), create c, delete b',
      notes: [],
    },
  });
});

test('makePlan() counts a replacement once and says which property asks for it', () => {
  const { counts, resources } = makePlan('a.local', recorded('fail'));
  expect(counts).toEqual({ create: 1, update: 1, replace: 1, delete: 0, same: 0 });
  expect(resources[0]).toEqual({
    urn: A,
    type,
    name: 'a',
    operation: 'replace',
    differences: [{ path: 'content', change: 'update', replaces: true, old: 'one', new: 'one2' }],
  });
});

test('makeFailures() says which resource failed and why, without what only repeats it', () => {
  expect(makeFailures(recorded('fail'))).toEqual([
    { resource: { urn: `${A.slice(0, -1)}d`, type, name: 'd' }, message: 'Cannot make it: it does not want to' },
    { resource: { urn: C, type, name: 'c' }, message: 'it does not become ready' },
  ]);
});

test.each<[string, string, string, string?]>([
  ['error: update failed', 'update failed\n', 'update failed'],
  ['colours', '<{%fg 1%}>no<{%reset%}> way\n', 'no way'],
  ['several reasons', '2 errors occurred:\n\t* one\n\t* two\n\n', 'one\ntwo'],
  [
    "a refused property's value, which may be a secret",
    "davit:tiny:Thing resource 'a': property content value {hunter2} has a problem: Cannot be empty\n",
    'content: Cannot be empty',
    'content',
  ],
  [
    'a provider that was killed',
    'Detected that /project/local/pulumi-resource-davit exited prematurely.\n  This is *always* a bug in the provider.',
    'its provider or its program ended in the middle; completed changes are kept, and the same command continues from there',
  ],
  [
    'a provider that crashed',
    'Detected that /project/x exited prematurely.\n  This is a bug.\n  we have dumped the STDOUT and STDERR streams of the plugin:\nReferenceError: x',
    'its provider or its program ended in the middle; completed changes are kept, and the same command continues from there\nReferenceError: x',
  ],
])('makeFailures() cleans %s', (_what, message, expected, property) => {
  const diagnosticEvent = { message, severity: 'error', color: 'never' } as const;
  expect(makeFailures([{ sequence: 0, timestamp: 0, diagnosticEvent }])).toEqual([
    { resource: undefined, message: expected, property },
  ]);
});

test('renderEvent() says what happens to the resources of a recorded update', () => {
  expect(recorded('fail').flatMap((event) => renderEvent(event) ?? [])).toEqual([
    'a: creating …',
    'c: updating …',
    'd: creating …',
    'a: Making /project/out/a.json',
    'a: Made with 2 labels',
    'c: Making /project/out/c.json',
    'c: Made with 0 labels',
    'd: Making /project/out/d.json',
    'd: Made with 0 labels',
    'a: created',
  ]);
  expect(recorded('preview').flatMap((event) => renderEvent(event) ?? [])).toEqual([]);
});

test.each([
  ['a', 1],
  ['b[1].c', 2],
  ['["x.y"].z', 3],
  ['["q\\"uote"]', 4],
  ['b[7].c', undefined],
])('readValueAt() finds %s', (path, expected) => {
  expect(valueAt({ a: 1, b: [{}, { c: 2 }], 'x.y': { z: 3 }, 'q"uote': 4 }, path)).toEqual(expected);
});

test('redactValue() hides secrets and names what is not known yet', () => {
  const secret = { '4dabf18193072939515e22adb298388d': '1b47061264138c4ac30d75fd1eb44270', plaintext: '"hunter2"' };
  const unknown = '04da6b54-80e4-46f7-96ec-b56ff0331ba9';
  expect(redactValue({ a: [secret, unknown, null, 1], b: { c: secret } })).toEqual({
    a: ['[secret]', '[unknown]', null, 1],
    b: { c: '[secret]' },
  });
});

const SECRET = { '4dabf18193072939515e22adb298388d': '1b47061264138c4ac30d75fd1eb44270', ciphertext: '[secret]' };

test.each<readonly [string, object, object]>([
  ['becomes a secret', { a: 'hunter2' }, { a: SECRET }],
  ['stops being one', { a: SECRET }, { a: 'hunter2' }],
  ['becomes part of a secret', { a: { b: ['hunter2'] } }, { a: SECRET }],
  ['becomes a secret deep in it', { a: { b: 'x', c: 'hunter2' } }, { a: { b: 'x', c: SECRET } }],
  ['becomes a secret at another place of a list', { a: ['x', 'hunter2'] }, { a: [SECRET] }],
  [
    'becomes a secret in a list of objects',
    { a: [{ n: 'x', v: 'hunter2' }] },
    {
      a: [
        { n: 'y', v: 'x' },
        { n: 'x', v: SECRET },
      ],
    },
  ],
  ['becomes a secret under another name', { a: 'hunter2', c: 'x' }, { b: SECRET, c: 'x' }],
  ['stops being one under another name', { a: { d: SECRET } }, { b: ['hunter2'] }],
])('a plan does not show what %s', (_what, before, after) => {
  const pair = redactPair(before, after);
  expect(JSON.stringify(pair)).not.toContain('hunter2');
  for (const path of ['a', 'a.b', 'a.b[0]', 'a.c', 'a[0]', 'a[0].v', 'a[1]', 'a.d', 'b', 'b[0]'])
    expect(JSON.stringify([valueAt(pair.before, path), valueAt(pair.after, path)])).not.toContain('hunter2');
});

test('a plan shows what has nothing to do with a secret beside it', () => {
  const before = { secret: SECRET, list: ['a'], same: { deep: SECRET, x: 1 } };
  const after = { secret: SECRET, list: ['b'], same: { deep: SECRET, x: 2 }, fresh: 'c' };
  expect(redactPair(before, after)).toEqual({
    before: { secret: '[secret]', list: ['a'], same: { deep: '[secret]', x: 1 } },
    after: { secret: '[secret]', list: ['b'], same: { deep: '[secret]', x: 2 }, fresh: 'c' },
  });
});

test('makePlan() hides the old value of what becomes a secret', () => {
  const step = {
    op: 'update',
    urn: A,
    type,
    old: { custom: true, inputs: { a: 'hunter2' } },
    new: { custom: true, inputs: { a: SECRET } },
  };
  const metadata = { ...step, detailedDiff: { a: { diffKind: 'update', inputDiff: true } } };
  const events = [{ sequence: 0, timestamp: 0, resourcePreEvent: { metadata } }] as unknown as readonly EngineEvent[];
  expect(makePlan('a.local', events).resources[0]?.differences).toEqual([
    { path: 'a', change: 'update', replaces: false, old: '[secret]', new: '[secret]' },
  ]);
});

test('digestResources() tells of what will be there, and not of what is there', () => {
  const [a, c] = ['davit:tiny:Thing::a', 'davit:tiny:Thing::c'];
  const preview = digestResources(recorded('preview'), '/project');
  expect(Object.keys(preview)).toEqual([a, c]); // b goes
  const step = (op: string, inputs: object) => ({ op, urn: A, type, old: null, new: { custom: true, inputs } });
  const digest = (op: string, inputs: object, root = '/project') => {
    const event = { sequence: 0, timestamp: 0, resourcePreEvent: { metadata: step(op, inputs) } };
    return digestResources([event as unknown as EngineEvent], root)[a];
  };
  const once = digest('create', { x: 1, folder: '/project/out' });
  expect(digest('same', { folder: '/project/out', x: 1 })).toBe(once);
  expect(digest('create', { x: 1, folder: '/elsewhere/out' }, '/elsewhere')).toBe(once);
  expect(digest('create', { x: 2, folder: '/project/out' })).not.toBe(once);
  expect(digest('create', { x: 1, folder: '/projects/out' })).not.toBe(once);
  expect(digest('delete', { x: 1 })).toBeUndefined();
  const unbuilt = digest('create', { image: '04da6b54-80e4-46f7-96ec-b56ff0331ba9' });
  expect(digest('same', { image: `registry.example/iris@sha256:${'0'.repeat(64)}` })).toBe(unbuilt);
  expect(digest('same', { image: 'registry.example/iris:1' })).not.toBe(unbuilt);
});

/** Events of a real engine, one a line, less the debug messages. */
function recorded(name: string): readonly EngineEvent[] {
  const lines = readFileSync(join(import.meta.dirname, 'fixtures', `${name}.jsonl`), 'utf8')
    .trim()
    .split('\n');
  return lines.map((line) => JSON.parse(line) as EngineEvent);
}
