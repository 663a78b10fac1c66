import type { KubernetesManifest } from '../kubernetes/object-resource.ts';

/** A manifest without Outputs in its metadata, so that its name is known before anything runs. */
export interface PlainManifest extends KubernetesManifest {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

/** `Deployment/knative-serving/activator`: unique among all objects. */
export function objectKey(manifest: PlainManifest): string {
  return `${manifest.kind}/${resourceName(manifest)}`;
}

/** `knative-serving/activator`: unique among objects of one kind. */
export function resourceName({ metadata: { name, namespace } }: PlainManifest): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}
