/** The program's settings of the provider. */
export interface ProviderSettings {
  /** A path, or the text of a kubeconfig; undefined: kubectl's default files. */
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
  /** The namespace for objects that name none. */
  readonly namespace: string | undefined;
  /** Takes fields over from other managers. */
  readonly patchForce: boolean;
  /** Takes over an existing object when one is to be created. */
  readonly upsert: boolean;
  readonly mutableConfigMaps: boolean;
  readonly mutableSecrets: boolean;
}

const UNSUPPORTED_SETTINGS = [
  'cluster',
  'renderYamlToDirectory',
  'deleteUnreachable',
  'skipUpdateUnreachable',
  'strictMode',
];

/** Reads the provider's configuration; refuses settings that are not supported here and would change the result. */
export function readSettings(config: Readonly<Record<string, string>>): ProviderSettings {
  const is = (name: string, variable: string) => (config[name] ?? process.env[variable]) === 'true';
  const refused = UNSUPPORTED_SETTINGS.filter((name) => config[name] && config[name] !== 'false');
  if (config['enableServerSideApply'] === 'false') refused.push('enableServerSideApply: false');
  if (refused.length > 0)
    throw new TypeError(
      `Cannot configure Davit's stand-in for the provider "kubernetes": ${refused.join(', ')} is not supported, expected kubeconfig, context, namespace, enablePatchForce, upsertExistingObjects, enableConfigMapMutable, enableSecretMutable`,
    );
  return {
    kubeconfig: config['kubeconfig'] || undefined,
    context: config['context'] || undefined,
    namespace: config['namespace'] || undefined,
    patchForce: is('enablePatchForce', 'PULUMI_K8S_ENABLE_PATCH_FORCE'),
    upsert: is('upsertExistingObjects', 'PULUMI_K8S_UPSERT_EXISTING_OBJECTS'),
    mutableConfigMaps: is('enableConfigMapMutable', 'PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE'),
    mutableSecrets: is('enableSecretMutable', 'PULUMI_K8S_ENABLE_SECRET_MUTABLE'),
  };
}

type Configuration = Readonly<Record<string, unknown>>;

/**
 * The settings whose change means another cluster, where everything has to be created again. A `clusterIdentifier`
 * decides alone. Without one, a changed context may be another cluster (the real provider looks into the kubeconfig).
 */
export function findReplacingSettings(before: Configuration, after: Configuration): readonly string[] {
  const [was, is] = [before['clusterIdentifier'], after['clusterIdentifier']];
  if (was && is) return was === is ? [] : ['clusterIdentifier'];
  if (is) return [];
  return before['context'] !== undefined && after['context'] !== undefined && before['context'] !== after['context']
    ? ['context']
    : [];
}
