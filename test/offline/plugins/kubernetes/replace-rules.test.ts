import { expect, test } from 'vitest';
import { parseObjectType } from '../../../../offline/plugins/kubernetes/objects/kubernetes-object.ts';
import { needsReplacement } from '../../../../offline/plugins/kubernetes/changes/replace-rules.ts';
import { findReplacingSettings, readSettings } from '../../../../offline/plugins/kubernetes/settings.ts';

const MUTABLE = { mutableConfigMaps: true, mutableSecrets: true };

test.each([
  ['apps/v1', 'Deployment', 'metadata.name', true],
  ['apps/v1', 'Deployment', 'metadata.namespace', true],
  ['apps/v1', 'Deployment', 'metadata.labels.a', false],
  ['apps/v1', 'Deployment', 'spec.selector.matchLabels.app', true],
  ['apps/v1', 'Deployment', 'spec.template.spec.containers[0].image', false],
  ['apps/v1', 'StatefulSet', 'spec.volumeClaimTemplates[0].spec', true],
  ['batch/v1', 'Job', 'spec.template.spec.containers[0].image', true],
  ['v1', 'Pod', 'spec.containers[0].image', true],
  ['v1', 'Pod', 'spec.tolerations[0]', false],
  ['v1', 'Service', 'spec.clusterIP', true],
  ['v1', 'Service', 'spec.ports[0].port', false],
  ['v1', 'Secret', 'type', true],
  ['v1', 'Secret', 'data.password', false],
  ['v1', 'ConfigMap', 'data.colour', false],
  ['rbac.authorization.k8s.io/v1', 'RoleBinding', 'roleRef.name', true],
  ['serving.knative.dev/v1', 'Configuration', 'spec.template.spec', false],
])('%s %s: a change of %s replaces it: %s', (apiVersion, kind, path, replaces) => {
  expect(needsReplacement(path, { apiVersion, kind, metadata: { name: 'x' } }, MUTABLE)).toBe(replaces);
});

test('data that is immutable, or that the program did not call mutable, replaces the object', () => {
  const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' } };
  const secret = { ...map, kind: 'Secret' };
  const immutable = { mutableConfigMaps: false, mutableSecrets: false };
  expect(needsReplacement('data.a', { ...map, immutable: true }, MUTABLE)).toBe(true);
  expect(needsReplacement('data.a', map, immutable)).toBe(true);
  expect(needsReplacement('stringData.a', secret, immutable)).toBe(true);
  expect(needsReplacement('metadata.labels.a', map, immutable)).toBe(false);
});

test.each([
  ['kubernetes:core/v1:ConfigMap', { apiVersion: 'v1', kind: 'ConfigMap', patch: false }],
  ['kubernetes:apps/v1:DeploymentPatch', { apiVersion: 'apps/v1', kind: 'Deployment', patch: true }],
  ['kubernetes:serving.knative.dev/v1:Route', { apiVersion: 'serving.knative.dev/v1', kind: 'Route', patch: false }],
  ['kubernetes:helm.sh/v3:Release', undefined],
  ['kubernetes:yaml/v2:ConfigFile', undefined],
  ['docker:index/image:Image', undefined],
])('parseObjectType() of %s', (type, parsed) => expect(parseObjectType(type)).toEqual(parsed));

test.each([
  [{ clusterIdentifier: 'a', context: 'x' }, { clusterIdentifier: 'a', context: 'y' }, []],
  [{ clusterIdentifier: 'a' }, { clusterIdentifier: 'b' }, ['clusterIdentifier']],
  [{ kubeconfig: '/a' }, { kubeconfig: '/b' }, []],
  [{ context: 'x' }, { context: 'y' }, ['context']],
  [{ context: 'x' }, { clusterIdentifier: 'a', context: 'y' }, []],
])('findReplacingSettings() from %o to %o', (before, after, replaces) =>
  expect(findReplacingSettings(before, after)).toEqual(replaces),
);

test('readSettings() takes what it honours, and refuses what would do something else', () => {
  expect(readSettings({ kubeconfig: '', context: 'c', enablePatchForce: 'true', clusterIdentifier: 'x' })).toEqual({
    kubeconfig: undefined,
    context: 'c',
    namespace: undefined,
    patchForce: true,
    upsert: false,
    mutableConfigMaps: false,
    mutableSecrets: false,
  });
  expect(() => readSettings({ enableServerSideApply: 'false' })).toThrow(
    'enableServerSideApply: false is not supported',
  );
  expect(() => readSettings({ renderYamlToDirectory: 'x' })).toThrow('renderYamlToDirectory is not supported');
});
