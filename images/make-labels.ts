import { createHash } from 'node:crypto';
import { type Lock, renderLock } from '../schemas/lock/lock.ts';
import type { ImagePlan } from './plan-image.ts';
import type { Provenance } from './read-provenance.ts';

/** Makes the labels of an image, which record its origin. They do not affect its tag. */
export function makeLabels({
  plan: { model, stack },
  lock,
  provenance,
}: {
  readonly plan: ImagePlan;
  readonly lock: Lock;
  readonly provenance: Provenance;
}): Record<string, string> {
  const { commit, source, davitVersion } = provenance;
  const [baseName = '', baseDigest = ''] = stack.base.split('@');
  return {
    'org.opencontainers.image.title': `${model.name} ${model.version}`,
    'org.opencontainers.image.version': model.version,
    ...(commit !== undefined && { 'org.opencontainers.image.revision': commit }),
    ...(source !== undefined && { 'org.opencontainers.image.source': source }),
    'org.opencontainers.image.base.name': baseName,
    'org.opencontainers.image.base.digest': baseDigest,
    'dev.davit.version': davitVersion,
    'dev.davit.endpoint': lock.endpoint,
    // The digest of the lock file as `davit lock` writes it.
    'dev.davit.lock.digest': `sha256:${createHash('sha256').update(renderLock(lock)).digest('hex')}`,
    'dev.davit.model.name': model.name,
    'dev.davit.model.version': model.version,
    'dev.davit.model.digest': model.digest,
  };
}
