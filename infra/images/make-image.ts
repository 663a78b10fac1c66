import { join, relative } from 'node:path';
import { Image } from '@pulumi/docker/image.js';
import type { Provider } from '@pulumi/docker/provider.js';
import type * as pulumi from '@pulumi/pulumi';
import type { KubernetesEnvironment } from '../../schemas/environment.ts';

export interface ImageToMake {
  /** Repository and tag. */
  readonly reference: string;
  /** Folder with the Dockerfile, relative to `root`. */
  readonly context: string;
  /** Absolute path of the project. */
  readonly root: string;
  readonly settings: KubernetesEnvironment['images'];
  readonly provider: Provider;
  /** Reference of an image that shares layers. */
  readonly cached?: string | undefined;
}

/**
 * Declares an image that the registry lacks; the reference by digest, once it is pushed.
 *
 * It is built and pushed also when the state says that it was: a registry may have lost it. Docker's resource would find
 * its inputs unchanged, so one of them never is; the Dockerfile does not use it, and so neither does the image.
 */
export function makeImage({
  reference,
  context,
  root,
  settings,
  provider,
  cached,
}: ImageToMake): pulumi.Output<string> {
  const { platform, timeoutSeconds } = settings;
  const folder = relative(process.cwd(), join(root, context)); // the plugin runs where the program does
  const limit = `${timeoutSeconds}s`;
  const image = new Image(
    reference,
    {
      imageName: reference,
      build: {
        context: folder,
        dockerfile: `${folder}/Dockerfile`,
        platform,
        network: 'none',
        args: { BUILDKIT_INLINE_CACHE: '1', DAVIT_BUILD: String(Date.now()) },
        ...(cached !== undefined && { cacheFrom: { images: [cached] } }),
      },
    },
    // The registry keeps what pods run.
    { provider, retainOnDelete: true, customTimeouts: { create: limit, update: limit } },
  );
  return image.repoDigest;
}
