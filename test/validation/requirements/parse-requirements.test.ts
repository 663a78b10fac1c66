import { expect, test } from 'vitest';
import { parseRequirements } from '../../../validation/requirements/parse-requirements.ts';

test('parseRequirements() reads names, versions, markers, sources, hashes and comments', () => {
  const text = [
    '# made by hand',
    'Scikit_Learn == 1.9.1  # the one it was trained with',
    'pandas[excel]>=2,<3 ; python_version < "3.13"',
    'numpy==2.4.6 \\',
    `    --hash=sha256:${'a'.repeat(64)}`,
    'helper @ https://example.com/helper-1.0-py3-none-any.whl',
    './code/my_helper-1.0-py3-none-any.whl',
    'requests',
  ].join('\n');
  const { requirements, options, unreadable } = parseRequirements(text, 'requirements.txt');
  expect([options, unreadable]).toEqual([[], []]);
  expect(requirements.map(({ text: t, name, pin, source, at }) => [at.line, at.column, name, pin, source, t])).toEqual([
    [2, 1, 'scikit-learn', '1.9.1', undefined, 'scikit-learn==1.9.1'],
    [3, 1, 'pandas', undefined, undefined, 'pandas[excel]>=2,<3 ; python_version < "3.13"'],
    [4, 1, 'numpy', '2.4.6', undefined, 'numpy==2.4.6'],
    [
      6,
      1,
      'helper',
      undefined,
      'https://example.com/helper-1.0-py3-none-any.whl',
      'helper @ https://example.com/helper-1.0-py3-none-any.whl',
    ],
    [
      7,
      1,
      'my-helper',
      undefined,
      'code/my_helper-1.0-py3-none-any.whl',
      'my-helper @ code/my_helper-1.0-py3-none-any.whl',
    ],
    [8, 1, 'requests', undefined, undefined, 'requests'],
  ]);
});

test('parseRequirements() keeps options and what it cannot read, each on its line', () => {
  const { options, unreadable } = parseRequirements('-r more.txt\n--index-url=https://x/simple\n./\na b\n', 'r.txt');
  expect(options.map((o) => [o.option, o.value, o.at.line])).toEqual([
    ['-r', 'more.txt', 1],
    ['--index-url', 'https://x/simple', 2],
  ]);
  expect(unreadable.map((u) => [u.text, u.at])).toEqual([
    ['./', { file: 'r.txt', line: 3, column: 1 }],
    ['a b', { file: 'r.txt', line: 4, column: 1 }],
  ]);
});

test('parseRequirements() does not take two requirements on one line for one', () => {
  const { requirements, unreadable } = parseRequirements('cloudpickle==3.1.2torch==2.1.0\n', 'requirements.txt');
  expect([requirements, unreadable.map((u) => u.text)]).toEqual([[], ['cloudpickle==3.1.2torch==2.1.0']]);
});
