import { expect, it } from 'vitest';
import { editTextList, type ListEdit } from '../../../schemas/yaml/edit-list.ts';

const PATH = ['davit', 'served_entities', 'iris', 'requirements', 'add'];

function edit(text: string, change: Partial<ListEdit>, path: readonly (string | number)[] = PATH, prunes = true) {
  const whole = { replaced: new Map(), removed: new Set<number>(), appended: [], ...change };
  return editTextList(text, path, whole, { prunes });
}

/** Endpoint files in which nothing is overridden yet, and the lines that the first edit adds. */
const WITHOUT: readonly (readonly [before: string, after: string])[] = [
  [
    '# ours\nname: iris # the name\n\nconfig: {served_entities:   [ {a: 1} ]}\n# the end\n',
    '# ours\nname: iris # the name\n\nconfig: {served_entities:   [ {a: 1} ]}\ndavit:\n  served_entities:\n    iris:\n      requirements:\n        add:\n          - pillow==10.2.0\n# the end\n',
  ],
  [
    'name: iris\r\ndavit:\r\n    served_entities:\r\n        iris:\r\n            model_uri: x # here\r\n        other: {}',
    'name: iris\r\ndavit:\r\n    served_entities:\r\n        iris:\r\n            model_uri: x # here\r\n            requirements:\r\n                add:\r\n                    - pillow==10.2.0\r\n        other: {}',
  ],
  [
    'davit: { served_entities: { iris: { workers: one } } } # one line\nname: iris\n',
    'davit: { served_entities: { iris: { workers: one, requirements: { add: [pillow==10.2.0] } } } } # one line\nname: iris\n',
  ],
  [
    '{\n  "name": "iris",\n  "davit": {\n    "rollout": "rolling"\n  }\n}\n',
    '{\n  "name": "iris",\n  "davit": {\n    "rollout": "rolling", "served_entities": { "iris": { "requirements": { "add": ["pillow==10.2.0"] } } }\n  }\n}\n',
  ],
  [
    '\uFEFFdavit:\n  served_entities:\n    iris:\n      requirements: {}\n      validation: |\n        text\n',
    '\uFEFFdavit:\n  served_entities:\n    iris:\n      requirements: { add: [pillow==10.2.0] }\n      validation: |\n        text\n',
  ],
  [
    'davit:\n  served_entities:\n    iris:\n      note: |\n        text\n\n# after\nname: iris\n',
    'davit:\n  served_entities:\n    iris:\n      note: |\n        text\n      requirements:\n        add:\n          - pillow==10.2.0\n\n# after\nname: iris\n',
  ],
];

it.each(WITHOUT)(
  'adds only the lines of a new list, and removing its item gives the same file again',
  (before, after) => {
    expect(edit(before, { appended: ['pillow==10.2.0'] })).toBe(after);
    const again = edit(after, { removed: new Set([0]) });
    // An empty map that was there is deleted with the list.
    expect(again).toBe(
      before.includes('requirements: {}')
        ? before.replace(/davit:[^]*?\{\}/, 'davit:\n  served_entities:\n    iris:')
        : before,
    );
  },
);

const BLOCK = `davit:
  served_entities:
    iris:
      requirements:
        # why these
        add:
          - pillow==10.2.0 # a CVE
          # for plots
          - "scipy==1.12.0"

        remove: [ xgboost,   shap ] # too large
`;

it('changes only the lines of the items', () => {
  const changed = edit(BLOCK, {
    replaced: new Map([[1, 'scipy==1.13.0']]),
    removed: new Set([0]),
    appended: ['x[a,b]>=1'],
  });
  expect(changed).toBe(
    BLOCK.replace('          - pillow==10.2.0 # a CVE\n', '').replace(
      '"scipy==1.12.0"\n',
      '"scipy==1.13.0"\n          - "x[a,b]>=1"\n',
    ),
  );
  const path = [...PATH.slice(0, -1), 'remove'];
  expect(edit(BLOCK, { removed: new Set([1]), appended: ['x'] }, path)).toBe(BLOCK.replace('   shap', ' x'));
  expect(edit(BLOCK, { removed: new Set([0]) }, path)).toBe(BLOCK.replace('xgboost,   ', ''));
  expect(edit(BLOCK, { removed: new Set([0, 1]) }, path)).toBe(BLOCK.replace(/ {8}remove.*\n/, ''));
});

it('keeps comments of a list that it deletes', () => {
  expect(edit(BLOCK, { removed: new Set([0, 1]) })).toBe(
    BLOCK.replace(/ {8}add:\n.*pillow.*\n/, '').replace(/.*"scipy.*\n/, ''),
  );
});

it('edits the pip section of a conda.yaml, makes one where there is none, and leaves an emptied one', () => {
  const conda = 'channels:\n- conda-forge\ndependencies:\n- python=3.11.7\n- pip # tool\n';
  const made = edit(conda, { appended: ['a==1', 'b==2'] }, ['dependencies', 2, 'pip'], false);
  expect(made).toBe(`${conda}- pip:\n    - a==1\n    - b==2\n`);
  expect(edit(made ?? '', { removed: new Set([0, 1]) }, ['dependencies', 2, 'pip'], false)).toBe(`${conda}- pip: []\n`);
});

it('refuses what it cannot edit without changing something else', () => {
  const shared = 'davit:\n  served_entities:\n    other: &same { requirements: { add: [a] } }\n    iris: *same\n';
  expect(edit(shared, { appended: ['b'] })).toBeUndefined();
  const mapped = 'davit:\n  served_entities:\n    ? iris\n    : requirements: { add: a }\n';
  expect(edit(mapped, { appended: ['b'] })).toBeUndefined();
});
