import { getVersion } from '@pulumi/kubernetes/utilities.js';
import * as pulumi from '@pulumi/pulumi';

/** A Kubernetes object in the form of its YAML. Values at any depth may be Outputs. */
export interface KubernetesManifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ManifestMetadata;
  readonly [field: string]: unknown;
}

export interface ManifestMetadata {
  readonly name: pulumi.Input<string>;
  readonly namespace?: pulumi.Input<string>;
  readonly labels?: Readonly<Record<string, pulumi.Input<string>>>;
  readonly annotations?: Readonly<Record<string, pulumi.Input<string>>>;
  readonly [field: string]: unknown;
}

/** The metadata as the API server returns it. */
export interface LiveMetadata {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly generation?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** The options of a Kubernetes object. It always has an explicit provider, its own or its parent's. */
export type ObjectOptions = pulumi.CustomResourceOptions;

/** Any Kubernetes object, in the form of its YAML. Davit registers objects only in this way. */
export class KubernetesObject extends pulumi.CustomResource {
  declare readonly metadata: pulumi.Output<LiveMetadata>;
  /** Includes the fields that the API server has filled in; undefined where the kind has none. */
  declare readonly spec: pulumi.Output<Readonly<Record<string, unknown>> | undefined>;
  /** Undefined where the kind has none, and at a preview. */
  declare readonly status: pulumi.Output<Readonly<Record<string, unknown>> | undefined>;

  constructor(name: string, manifest: KubernetesManifest, options: ObjectOptions = {}) {
    super(objectType(manifest), name, { spec: undefined, ...manifest, status: undefined }, withVersion(options));
  }
}

/**
 * Some fields of an object that somebody else made. The provider takes them over by force and gives them up with the
 * patch.
 */
export class KubernetesPatch extends pulumi.CustomResource {
  declare readonly metadata: pulumi.Output<LiveMetadata>;

  constructor(name: string, manifest: KubernetesManifest, options: ObjectOptions = {}) {
    super(`${objectType(manifest)}Patch`, name, { ...manifest }, withVersion(options));
  }
}

/** `kubernetes:apps/v1:Deployment`; Pulumi calls the core group `core`, which `apiVersion` leaves out. */
function objectType({ apiVersion, kind }: Pick<KubernetesManifest, 'apiVersion' | 'kind'>): string {
  return `kubernetes:${apiVersion === 'v1' ? 'core/v1' : apiVersion}:${kind}`;
}

/** The plugin's version is that of the npm package. */
function withVersion(options: ObjectOptions): ObjectOptions {
  return { version: getVersion(), ...options };
}
