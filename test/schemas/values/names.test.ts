import { expect, test } from 'vitest';
import { imagesStackName, parseStackName, platformStackName, stackName } from '../../../schemas/values/names.ts';

test.each([
  [stackName('iris', 'local'), { kind: 'endpoint', endpoint: 'iris', environment: 'local' }],
  [imagesStackName('iris'), { kind: 'images', endpoint: 'iris' }],
  [platformStackName('production'), { kind: 'platform', environment: 'production' }],
  ['iris', undefined],
  ['iris.here.there', undefined],
  ['.here', undefined],
])('parseStackName() reads %s', (stack, expected) => {
  expect(parseStackName(stack)).toEqual(expected);
});
