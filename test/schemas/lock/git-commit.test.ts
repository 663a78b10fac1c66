import { expect, test } from 'vitest';
import { gitCommit, parseGitCommit, renderGitCommit } from '../../../schemas/lock/git-commit.ts';

const SHA = '0123456789abcdef0123456789abcdef01234567';

test.each([
  [`git+https://example.com/a/b@${SHA}`, `git+https://example.com/a/b@${SHA}`],
  [`git+https://example.com:8443/a/b.git@${SHA.toUpperCase()}#egg=b`, `git+https://example.com:8443/a/b.git@${SHA}`],
  [
    `git+https://example.com/a/b.git@${SHA}#egg=b&subdirectory=python/b-1`,
    `git+https://example.com/a/b.git@${SHA}#subdirectory=python/b-1`,
  ],
  [`git+https://example.com/a/b@${'ab'.repeat(32)}`, `git+https://example.com/a/b@${'ab'.repeat(32)}`],
])('%s is a commit', (text, rendered) => {
  const commit = parseGitCommit(text)!;
  expect(renderGitCommit(commit)).toBe(rendered);
  expect(gitCommit.safeParse(rendered).success).toBe(true);
});

test.each([
  `git+https://example.com/a/b@${SHA.slice(1)}`,
  'git+https://example.com/a/b@main',
  'git+https://example.com/a/b',
  `git+http://example.com/a/b@${SHA}`,
  `git+ssh://git@example.com/a/b@${SHA}`,
  `git+file:///a/b@${SHA}`,
  `git+https://user:secret@example.com/a/b@${SHA}`,
  `git+https://token@example.com/a/b@${SHA}`,
  `git+https://example.com/a/b?x=1@${SHA}`,
  `git+https://example.com@${SHA}`,
  `git+https://example.com/a b@${SHA}`,
  `git+https://example.com/a\${HOME}@${SHA}`,
  `git+https://example.com/a/b@${SHA}#subdirectory=../x`,
  `git+https://example.com/a/b@${SHA}#subdirectory=/x`,
  `git+https://example.com/a/b@${SHA}#subdirectory=-x:y`,
  `git+https://example.com/a/b@${SHA}\n`,
  `git+ext::sh -c x@${SHA}`,
])('%j is none', (text) => {
  expect(parseGitCommit(text)).toBeUndefined();
});

test('a lock has one spelling of a commit', () => {
  expect(gitCommit.safeParse(`git+https://example.com/a/b@${SHA}#egg=b`).success).toBe(false);
});
