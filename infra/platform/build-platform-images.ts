import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { Image } from '@pulumi/docker/image.js';
import { Provider } from '@pulumi/docker/provider.js';
import { type AuthorisationImagePlan, planAuthorisationImage } from '../../images/plan-authorisation-image.ts';
import { readImageDigest } from '../../images/registry.ts';
import type { ProjectPlace } from '../../schemas/read-declared.ts';
import { makeFolderAtomically } from '../../system/atomic-files.ts';
import { chooseEnvironment } from '../images/choose-environment.ts';

/**
 * Builds the image of the authorisation service when the registry does not have it: a stack of its own, as for the images
 * of endpoints, so that an environment's stack never builds and its second update changes nothing.
 */
export async function buildPlatformImages(place: ProjectPlace): Promise<object> {
  const { images } = await chooseEnvironment(place);
  const plan = await planAuthorisationImage(images);
  const digest = await readImageDigest(plan.reference);
  if (digest !== undefined) return { authorisation: `${plan.repository}@${digest}` };
  await writeContext(plan, place.root);
  const context = relative(process.cwd(), join(place.root, plan.context)); // the plugin runs where the program does
  const { dockerHost, platform, timeoutSeconds } = images;
  const limit = `${timeoutSeconds}s`;
  const image = new Image(
    plan.reference,
    {
      imageName: plan.reference,
      build: { context, dockerfile: `${context}/Dockerfile`, platform, network: 'none' },
    },
    {
      provider: new Provider('docker', dockerHost === undefined ? {} : { host: dockerHost }),
      retainOnDelete: true, // the registry keeps what pods run
      customTimeouts: { create: limit, update: limit },
    },
  );
  return { authorisation: image.repoDigest };
}

async function writeContext({ context, files }: AuthorisationImagePlan, root: string): Promise<void> {
  await makeFolderAtomically(join(root, context), async (folder) => {
    for (const { path, text } of files) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), text);
    }
  });
}
