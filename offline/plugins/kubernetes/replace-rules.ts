/** Fields that the API server refuses to change, by group and kind. */
const IMMUTABLE: Readonly<Record<string, RegExp>> = {
  'apps/Deployment': /^spec\.selector/,
  'apps/DaemonSet': /^spec\.selector/,
  'apps/StatefulSet': /^spec\.(selector|serviceName|podManagementPolicy|volumeClaimTemplates)/,
  'batch/Job': /^spec\.(selector|template|completions|completionMode)/,
  '/PersistentVolumeClaim': /^spec\.(?!resources)/,
  '/Secret': /^type$/,
  'rbac.authorization.k8s.io/RoleBinding': /^roleRef/,
  'rbac.authorization.k8s.io/ClusterRoleBinding': /^roleRef/,
  'storage.k8s.io/StorageClass': /^(provisioner|parameters|reclaimPolicy|volumeBindingMode)/,
};
const IDENTITY = /^(kind|metadata\.(name|namespace|generateName))$/;

/** Whether a change at this path makes another object; `kind` as in `apps/Deployment`. */
export function needsReplacement(kind: string, path: string): boolean {
  return IDENTITY.test(path) || (IMMUTABLE[kind]?.test(path) ?? false);
}
