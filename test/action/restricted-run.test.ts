import { expect, it } from 'vitest';
import { isRestrictedRun } from '../../action/runner.ts';

const SHA = 'a'.repeat(40);
const OWN = 'acme/models';

it.each([
  ['a branch of the repository', { full_name: 'Acme/Models' }, 'ann', false],
  ['a fork', { full_name: 'ann/models' }, 'ann', true],
  ['a fork that is deleted', null, 'ann', true],
  ['Dependabot', { full_name: OWN }, 'dependabot[bot]', true],
])('knows the code of %s', (_whose, repo, actor, expected) => {
  const event = { pull_request: { number: 7, base: { sha: SHA }, head: { sha: SHA, repo } } };
  expect(isRestrictedRun({ event, repository: OWN, actor })).toBe(expected);
  expect(isRestrictedRun({ event: {}, repository: OWN, actor: 'ann' })).toBe(false);
});
