import { expect, test } from 'vitest';
import { listUndeclaredRequirements } from '../../python/undeclared-requirements.ts';

test.for([
  ['mlflow', '2.10.0', ['setuptools<81']],
  ['mlflow-skinny', '2.15.1', ['setuptools<81']],
  ['mlflow', '2.16.0', []],
  ['mlflow', '3.17.2', []],
  ['acme-mlflow', '2.10.0', []],
] as const)('%s %s imports what it does not require: %s', ([name, version, expected]) => {
  const numpy = { name: 'numpy', version: '1.26.4' };
  expect(listUndeclaredRequirements([{ name, version }, numpy])).toEqual(expected);
  expect(
    listUndeclaredRequirements([
      { name: 'setuptools', version: '58.1.0' },
      { name, version },
    ]),
  ).toEqual([]);
});
