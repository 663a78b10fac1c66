import type * as pulumi from '@pulumi/pulumi';
import type { KubernetesEnvironment } from '../../../schemas/environment.ts';
import type { Declaration } from '../../declaration.ts';
import type { Deployed } from '../../targets.ts';

/** Makes an endpoint's objects on Kubernetes with Knative Serving. */
export function deployToKubernetes(
  { environment }: Declaration<KubernetesEnvironment>,
  parent: pulumi.Resource,
): Deployed {
  throw new Error(`Cannot deploy to ${environment.name} below ${String(parent)}: it is being written`);
}
