import { expect, test } from 'vitest';
import { parseSecretReference } from '../../../schemas/values/secret-reference.ts';

const LONG = 'k'.repeat(128);

test.each([
  ['{{secrets/team/key}}', { scope: 'team', key: 'key' }],
  ['{{ secrets/Team_1.a-b/API.key }}', { scope: 'Team_1.a-b', key: 'API.key' }],
  [`{{secrets/${LONG}/${LONG}}}`, { scope: LONG, key: LONG }],
])('parseSecretReference() reads %s', (value, expected) => {
  expect(parseSecretReference(value)).toEqual(expected);
});

test.each([
  'plain',
  '',
  '{{secrets/team}}',
  '{{secrets/team/}}',
  '{{secrets//key}}',
  '{{secrets/team/key/more}}',
  'x{{secrets/team/key}}',
  '{{secrets/team/key}} ',
  '{secrets/team/key}',
  '{{secret/team/key}}',
  '{{secrets/team name/key}}',
  '{{secrets/tëam/key}}',
  '{{secrets/team/key}}{{secrets/team/key}}',
  `{{secrets/team/${LONG}k}}`,
])('parseSecretReference() takes %j for a plain value', (value) => {
  expect(parseSecretReference(value)).toBeUndefined();
});
