import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { codePath, readVersion } from '../../system/code.ts';

it('CHANGELOG.md has a section for the version of package.json and of package-lock.json, as a release needs', () => {
  const version = readVersion();
  expect(readFileSync(codePath('CHANGELOG.md'), 'utf8').split('\n')).toContain(`## ${version}`);
  const lock = JSON.parse(readFileSync(codePath('package-lock.json'), 'utf8')) as { readonly version: string };
  expect(lock.version).toBe(version);
});

it('docs/own-repository.md installs the packages for Kubernetes in the versions that Davit needs', () => {
  const page = readFileSync(codePath('docs', 'own-repository.md'), 'utf8');
  const { dependencies } = JSON.parse(readFileSync(codePath('package.json'), 'utf8')) as {
    readonly dependencies: Readonly<Record<string, string>>;
  };
  const packages = ['@kubernetes/client-node', '@pulumi/docker', '@pulumi/kubernetes'];
  expect(page).toContain(`npm install --save-dev ${packages.map((p) => `${p}@${dependencies[p] ?? ''}`).join(' ')}`);
});
