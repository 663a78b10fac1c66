import type { KubernetesApi } from '../../../kubernetes/client/api.ts';
import type { KubernetesEnvironment } from '../../../schemas/environment/environment.ts';
import { checkAdoptable, checkInstallable } from './check-knative.ts';
import { findKnative } from './find-knative.ts';
import { type KnativeAdoption, makeKnativeAdoption } from './make-knative-adoption.ts';
import { type KnativeInstallation, makeKnativeInstallation } from './make-knative-installation.ts';
import { readPinnedFile } from './read-pinned-file.ts';

/** The Knative that endpoints will run on: Davit's own, or an existing one. */
export type PreparedKnative =
  ({ readonly mode: 'install' } & KnativeInstallation) | ({ readonly mode: 'adopt' } & KnativeAdoption);

/** Looks at the cluster and reads the manifests. Throws before anything is applied when they do not fit. */
export async function prepareKnative(
  api: KubernetesApi,
  environment: KubernetesEnvironment,
  root: string,
): Promise<PreparedKnative> {
  const { knative } = environment;
  const found = await findKnative(api);
  if (knative.mode === 'adopt') {
    checkAdoptable(found, environment);
    return { mode: 'adopt', ...makeKnativeAdoption(found, environment) };
  }
  checkInstallable(found, environment);
  const files = await Promise.all(knative.manifests.map((file) => readPinnedFile(file, root)));
  return { mode: 'install', ...makeKnativeInstallation(files, environment) };
}
