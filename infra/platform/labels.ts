import type { KubernetesEnvironment } from '../../schemas/environment.ts';
import { ENVIRONMENT_LABEL } from '../../schemas/kubernetes-names.ts';

/** Says that Davit made an object, and so may change and remove it. */
export const MANAGED_BY_LABEL = 'app.kubernetes.io/managed-by';
export const MANAGED_BY = 'davit';

/** On everything that belongs to the platform of an environment. */
export function platformLabels({ name }: KubernetesEnvironment): Readonly<Record<string, string>> {
  return { [MANAGED_BY_LABEL]: MANAGED_BY, [ENVIRONMENT_LABEL]: name };
}

/** What a Service or a policy knows the pods of one part by; never changes, since a Deployment's selector may not. */
export function partLabels(part: string): Readonly<Record<string, string>> {
  return { 'app.kubernetes.io/name': part };
}
