import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { requireKubernetesPackages } from '../../system/kubernetes-packages.ts';

it("names the packages for Kubernetes that are not installed beside Davit's", () => {
  const modules = join(mkdtempSync(join(tmpdir(), 'davit-modules-')), 'node_modules');
  onTestFinished(() => rmSync(modules, { recursive: true }));
  for (const name of ['davit', '@pulumi/docker']) {
    mkdirSync(join(modules, name), { recursive: true });
    writeFileSync(join(modules, name, 'package.json'), '{}');
  }
  const manifest = join(modules, 'davit', 'package.json');
  writeFileSync(manifest, '{"peerDependencies":{"@pulumi/docker":"1.0.0","@pulumi/kubernetes":"2.0.0"}}');
  expect(() => requireKubernetesPackages(manifest)).toThrow(
    "Cannot use Kubernetes: Davit's packages for it, which not everybody needs, are not installed. Install them once: npm install --save-dev @pulumi/kubernetes@2.0.0",
  );
});

it("refuses a Node on which Kubernetes' SDK does not start", () => {
  expect(() => requireKubernetesPackages(undefined, '20.20.2')).toThrow(
    'Cannot use Kubernetes on Node 20.20.2: expected Node 22.19 or newer',
  );
  expect(() => requireKubernetesPackages()).not.toThrow();
});
