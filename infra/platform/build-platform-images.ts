import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Provider } from '@pulumi/docker/provider.js';
import { type AuthorisationImagePlan, planAuthorisationImage } from '../../images/plan-authorisation-image.ts';
import { readImageDigest } from '../../images/registry.ts';
import type { ProjectFolders } from '../../schemas/read-project.ts';
import { makeFolderAtomically } from '../../system/atomic-files.ts';
import { chooseEnvironment } from '../images/choose-environment.ts';
import { makeImage } from '../images/make-image.ts';
import type { ProgramRun } from '../program-run.ts';

/**
 * Builds the image of the authorisation service if the registry does not have it. It has a stack of its own, as the
 * images of endpoints do, so that an environment's stack never builds and its second update changes nothing.
 */
export async function buildPlatformImages(place: ProjectFolders, run: ProgramRun): Promise<object> {
  const { images } = await chooseEnvironment(place, run);
  const plan = await planAuthorisationImage(images);
  const digest = await readImageDigest(plan.reference);
  if (digest !== undefined) return { authorisation: `${plan.repository}@${digest}` };
  await writeContext(plan, place.root);
  const { reference, context } = plan;
  const provider = new Provider('docker', images.dockerHost === undefined ? {} : { host: images.dockerHost });
  const { providerFolder } = run;
  return {
    authorisation: makeImage({
      ...{ reference, context, root: place.root, providerFolder, settings: images, provider },
      needsNetwork: false,
    }),
  };
}

async function writeContext({ context, files }: AuthorisationImagePlan, root: string): Promise<void> {
  await makeFolderAtomically(join(root, context), async (folder) => {
    for (const { path, text } of files) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), text);
    }
  });
}
