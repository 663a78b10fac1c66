import type { KubernetesManifest } from '../kubernetes/object-resource.ts';

/** A manifest without Outputs in its metadata: what it is called is known before anything runs. */
export interface PlainManifest extends KubernetesManifest {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

/** `Deployment/knative-serving/activator`: an object among others, and the name of its resource. */
export function objectKey({ kind, metadata: { name, namespace } }: PlainManifest): string {
  return [kind, ...(namespace === undefined ? [] : [namespace]), name].join('/');
}
