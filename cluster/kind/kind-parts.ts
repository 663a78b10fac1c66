import { createHash } from 'node:crypto';
import type { PinnedFile } from '../../schemas/environment/kubernetes-environment.ts';
import { withProgress } from '../../system/progress.ts';
import type { BuildOptions } from '../../system/go-build.ts';
import { KNATIVE_VERSION } from '../go-programs.ts';
import type { ClusterDescription } from '../render-environment.ts';
import { runChecked } from '../run-checked.ts';
import { readErrorMessage } from '../../schemas/values/read-error-message.ts';

/** Public images for a cluster of kind. */
const IMAGES = {
  python: 'docker.io/library/python:3.11-slim',
  node: 'docker.io/library/node:24-slim',
  envoy: 'docker.io/envoyproxy/envoy:v1.40.0',
};
const RELEASE = `releases/download/knative-v${KNATIVE_VERSION}.0`;
const MANIFESTS = [
  `https://github.com/knative/serving/${RELEASE}/serving-crds.yaml`,
  `https://github.com/knative/serving/${RELEASE}/serving-core.yaml`,
  `https://github.com/knative-extensions/net-kourier/${RELEASE}/kourier.yaml`,
];
const DOWNLOAD_SECONDS = 60;

/** Pins images and manifests by their current digest. The user has to fill in those that cannot be reached. */
export function pinKindParts(
  { adopt }: { readonly adopt: boolean },
  options: BuildOptions,
): Promise<Pick<ClusterDescription, 'images' | 'knative'>> {
  return withProgress(options.progress, 'Pinning base images and manifests', async () => ({
    images: await pinImages(IMAGES, options),
    knative: adopt ? undefined : await pinFiles(MANIFESTS).catch(() => 'to fill in' as const),
  }));
}

/** Pulls images and returns their names by digest; one that cannot be pulled is left out. */
export async function pinImages(
  images: Readonly<Record<string, string>>,
  { progress, signal }: BuildOptions,
): Promise<Readonly<Record<string, string>>> {
  const options = { ...(signal && { signal }) };
  const pinned: [string, string][] = [];
  for (const [name, image] of Object.entries(images)) {
    try {
      await runChecked(`pull ${image}`, ['docker', 'pull', '--quiet', image], options);
      const inspect = ['docker', 'image', 'inspect', '--format', '{{json .RepoDigests}}', image];
      const digests = JSON.parse(await runChecked(`inspect ${image}`, inspect, options)) as readonly string[];
      const digest = digests[0]?.split('@')[1];
      if (digest !== undefined) pinned.push([name, `${image.replace(/[:@][^/]*$/, '')}@${digest}`]);
    } catch (e) {
      signal?.throwIfAborted();
      progress.say(readErrorMessage(e));
    }
  }
  return Object.fromEntries(pinned);
}

/** Downloads files and returns their checksums, so that every deployment uses the same content. */
export function pinFiles(urls: readonly string[]): Promise<readonly PinnedFile[]> {
  return Promise.all(
    urls.map(async (source) => {
      const answer = await fetch(source, { signal: AbortSignal.timeout(DOWNLOAD_SECONDS * 1000) });
      if (!answer.ok) throw new Error(`Cannot download ${source}: the server returned ${answer.status}`);
      const bytes = Buffer.from(await answer.arrayBuffer());
      return { source, sha256: createHash('sha256').update(bytes).digest('hex') };
    }),
  );
}
