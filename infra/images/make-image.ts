import { join, relative } from 'node:path';
import { Image } from '@pulumi/docker/image.js';
import type { Provider } from '@pulumi/docker/provider.js';
import type * as pulumi from '@pulumi/pulumi';
import type { KubernetesEnvironment } from '../../schemas/environment/environment.ts';

export interface ImageOptions {
  /** Repository and tag. */
  readonly reference: string;
  /** The folder of the Dockerfile, relative to `root`. */
  readonly context: string;
  /** Absolute path of the project. */
  readonly root: string;
  /** Absolute path of the folder in which the plugin runs. */
  readonly providerFolder: string;
  readonly settings: KubernetesEnvironment['images'];
  readonly provider: Provider;
  /** Whether a step of the Dockerfile downloads something. */
  readonly needsNetwork: boolean;
  /** An image that shares layers with this one. */
  readonly cached?: string | undefined;
}

/**
 * Declares an image that the registry lacks, and returns its reference by digest once it is pushed.
 *
 * The image is built and pushed even when the state says that it was, because a registry may have lost it. Docker's
 * resource does nothing when its inputs are unchanged, so one input changes every time. The Dockerfile does not use
 * that input, so the image stays the same.
 */
export function makeImage({
  reference,
  context,
  root,
  providerFolder,
  settings,
  provider,
  needsNetwork,
  cached,
}: ImageOptions): pulumi.Output<string> {
  const { platform, timeoutSeconds } = settings;
  const folder = relative(providerFolder, join(root, context));
  const limit = `${timeoutSeconds}s`;
  const image = new Image(
    reference,
    {
      imageName: reference,
      build: {
        context: folder,
        dockerfile: `${folder}/Dockerfile`,
        platform,
        network: needsNetwork ? 'default' : 'none',
        args: { BUILDKIT_INLINE_CACHE: '1', DAVIT_BUILD: String(Date.now()) },
        ...(cached !== undefined && { cacheFrom: { images: [cached] } }),
      },
    },
    // Pods run this image, so the registry must keep it.
    { provider, retainOnDelete: true, customTimeouts: { create: limit, update: limit } },
  );
  return image.repoDigest;
}
