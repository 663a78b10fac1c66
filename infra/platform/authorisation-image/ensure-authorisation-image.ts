import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { Image } from '@pulumi/docker/image.js';
import { Provider } from '@pulumi/docker/provider.js';
import * as pulumi from '@pulumi/pulumi';
import { readImageDigest } from '../../../images/registry.ts';
import type { KubernetesEnvironment } from '../../../schemas/environment.ts';
import { makeFolderAtomically } from '../../../system/atomic-files.ts';
import { collectSources } from './collect-sources.ts';
import { type AuthorisationImagePlan, planAuthorisationImage } from './plan-authorisation-image.ts';

const CODE = join(import.meta.dirname, '..', '..', '..');

/** The image of the authorisation service, by digest; built when the registry does not have it. */
export async function ensureAuthorisationImage(
  { images }: KubernetesEnvironment,
  root: string,
): Promise<pulumi.Output<string>> {
  const plan = planAuthorisationImage(await collectSources(CODE, 'edge/service.ts'), images);
  const digest = await readImageDigest(plan.reference);
  if (digest !== undefined) return pulumi.output(`${plan.repository}@${digest}`);
  await writeContext(plan, root);
  const context = relative(process.cwd(), join(root, plan.context)); // where the plugin runs, too
  const { dockerHost, platform, timeoutSeconds } = images;
  const limit = `${timeoutSeconds}s`;
  const image = new Image(
    plan.reference,
    { imageName: plan.reference, build: { context, dockerfile: `${context}/Dockerfile`, platform } },
    {
      provider: new Provider('docker', dockerHost === undefined ? {} : { host: dockerHost }),
      retainOnDelete: true, // pods may run it, and the registry is not ours to clean
      customTimeouts: { create: limit, update: limit },
    },
  );
  return image.repoDigest;
}

async function writeContext({ context, files }: AuthorisationImagePlan, root: string): Promise<void> {
  await makeFolderAtomically(join(root, context), async (folder) => {
    for (const { path, text } of files) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), text);
    }
  });
}
