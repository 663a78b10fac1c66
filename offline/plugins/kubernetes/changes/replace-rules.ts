import { formatGroupKind, type KubernetesObject } from '../objects/kubernetes-object.ts';
import type { ProviderSettings } from '../settings.ts';

/**
 * Fields for whose change the real provider replaces the object, by group and kind. For other fields that the API
 * server refuses to change, a program sets `replaceOnChanges`.
 */
const IMMUTABLE_FIELDS: Readonly<Record<string, RegExp>> = {
  'apps/Deployment': /^spec\.selector\b/,
  'apps/DaemonSet': /^spec\.selector\b/,
  'apps/StatefulSet': /^spec\.(selector|serviceName|podManagementPolicy|volumeClaimTemplates|revisionHistoryLimit)\b/,
  'batch/Job': /^spec\.(selector|template|completions|parallelism)\b/,
  '/PersistentVolume':
    /^spec\.(hostPath|local|nfs|csi|iscsi|fc|rbd|cephfs|flexVolume|storageos|vsphereVolume|\w+Disk|awsElasticBlockStore|cinder|flocker|glusterfs|portworxVolume|quobyte|scaleIO)\b/,
  '/PersistentVolumeClaim': /^spec\.(accessModes|selector|storageClassName|volumeName)\b/,
  '/Pod': /^spec\.(?!containers|initContainers|activeDeadlineSeconds|tolerations)|^spec\.(initC|c)ontainers\[\d+\]\./,
  '/ResourceQuota': /^spec\.scopes\b/,
  '/Secret': /^type$/,
  '/Service': /^spec\.clusterIP$/,
  'rbac.authorization.k8s.io/RoleBinding': /^roleRef\b/,
  'rbac.authorization.k8s.io/ClusterRoleBinding': /^roleRef\b/,
  'storage.k8s.io/StorageClass': /^(provisioner|parameters)\b/,
};
const IDENTITY_FIELDS = /^metadata(\.(name|namespace))?$/;

/** Whether a change at this path replaces the object. */
export function needsReplacement(
  path: string,
  inputs: KubernetesObject,
  settings: Pick<ProviderSettings, 'mutableConfigMaps' | 'mutableSecrets'>,
): boolean {
  if (IDENTITY_FIELDS.test(path)) return true;
  const kind = formatGroupKind(inputs);
  const frozen = inputs['immutable'] === true;
  if (kind === '/ConfigMap' && (frozen || !settings.mutableConfigMaps)) return /^(data|binaryData)\b/.test(path);
  if (kind === '/Secret' && (frozen || !settings.mutableSecrets)) return /^(type|data|stringData)\b/.test(path);
  return IMMUTABLE_FIELDS[kind]?.test(path) ?? false;
}
