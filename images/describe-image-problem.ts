import type { ImageSettings } from '../schemas/environment/kubernetes-environment.ts';
import type { Lock } from '../schemas/lock/lock.ts';
import { isVersionAtLeast } from '../schemas/values/versions.ts';
import { findLockedVirtualenv } from '../schemas/lock/find-locked-virtualenv.ts';

/** The model server's front uses the image's Python, and its packages need this version. */
const OLDEST_PYTHON = '3.10';
/** Maps uv's name of a processor to Docker's. */
const PROCESSORS: Readonly<Record<string, string>> = { x86_64: 'amd64', aarch64: 'arm64' };

/** Explains why an image of a locked entity cannot be made with these settings. Returns undefined if it can. */
export function describeImageProblem({
  lock,
  entity,
  settings,
}: {
  readonly lock: Lock;
  readonly entity: string;
  readonly settings: ImageSettings;
}): string | undefined {
  const virtualenv = findLockedVirtualenv(lock, entity);
  if (!virtualenv) return `Cannot make an image of "${entity}": the lock of "${lock.endpoint}" does not contain it`;
  const { python, platform } = virtualenv;
  const base = settings.bases[python];
  if (!isVersionAtLeast(python, OLDEST_PYTHON))
    return `Cannot make an image of "${entity}": it needs Python ${python}, expected ${OLDEST_PYTHON} or newer`;
  if (base === undefined)
    return `Cannot make an image of "${entity}": the environment has no base image for Python ${python}, expected one in images.bases, which has ${listBases(settings)}`;
  if (!/@sha256:[0-9a-f]{64}$/.test(base))
    return `Cannot make an image of "${entity}" on "${base}": it has no digest, expected NAME@sha256:… in images.bases`;
  const processor = platform.split('-')[0] ?? '';
  if (settings.platform === `linux/${PROCESSORS[processor] ?? processor}`) return undefined;
  return `Cannot make an image of "${entity}" for ${settings.platform}: its packages are locked for ${platform}, expected images.platform linux/${PROCESSORS[processor] ?? processor}`;
}

function listBases({ bases }: ImageSettings): string {
  return Object.keys(bases).join(', ') || 'none';
}
