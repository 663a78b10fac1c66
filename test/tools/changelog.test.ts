import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { codePath, readVersion } from '../../system/code.ts';

it('CHANGELOG.md has a section for the version of package.json and of package-lock.json, as a release needs', () => {
  const version = readVersion();
  expect(readFileSync(codePath('CHANGELOG.md'), 'utf8').split('\n')).toContain(`## ${version}`);
  const lock = JSON.parse(readFileSync(codePath('package-lock.json'), 'utf8')) as { readonly version: string };
  expect(lock.version).toBe(version);
});
