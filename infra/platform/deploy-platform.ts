import { connectCluster } from '../../kubernetes/connect.ts';
import type { ProjectPlace } from '../../schemas/read-declared.ts';
import { readPlatform } from '../read-platform.ts';
import { ensureAuthorisationImage } from './authorisation-image/ensure-authorisation-image.ts';
import { prepareKnative } from './knative/prepare-knative.ts';
import { Platform } from './platform.ts';

/** Deploys what the endpoints of an environment share; the outputs of the stack. */
export async function deployPlatform({ root }: ProjectPlace, name: string): Promise<object> {
  const environment = await readPlatform({ root, endpoints: '' }, name);
  const knative = await prepareKnative(await connectCluster(environment.cluster, root), environment, root);
  const authorisationImage = await ensureAuthorisationImage(environment, root);
  const platform = new Platform(name, { environment, root, knative, authorisationImage });
  return { url: platform.url, knative: platform.knative };
}
