import type { KubernetesEnvironment } from '../../schemas/environment/environment.ts';
import { ENVIRONMENT_LABEL } from '../../schemas/environment/kubernetes-names.ts';

/** Marks objects that Davit made and may change and remove. */
export const MANAGED_BY_LABEL = 'app.kubernetes.io/managed-by';
export const MANAGED_BY = 'davit';

/** Labels of every object of an environment's platform. */
export function makePlatformLabels({ name }: KubernetesEnvironment): Readonly<Record<string, string>> {
  return { [MANAGED_BY_LABEL]: MANAGED_BY, [ENVIRONMENT_LABEL]: name };
}

/** Labels that select the pods of one part. They never change, because a Deployment's selector may not change. */
export function makePartLabels(part: string): Readonly<Record<string, string>> {
  return { 'app.kubernetes.io/name': part };
}
