import { join } from 'node:path';
import { makeSbom, renderSbom } from '../../images/make-sbom.ts';
import type { Environment } from '../../schemas/environment/environment.ts';
import type { Lock } from '../../schemas/lock/lock.ts';
import { writeFileAtomically } from '../../system/atomic-files.ts';

/**
 * Writes the bill of materials of each served entity, `ENDPOINT/ENTITY.cdx.json`. It has the base image, and the Debian
 * packages over it, only if all environments on Kubernetes use the same ones.
 */
export async function writeSboms(folder: string, lock: Lock, environments: readonly Environment[]): Promise<void> {
  for (const [entity, locked] of Object.entries(lock.entities)) {
    const python = lock.virtualenvs[locked.virtualenv]?.python ?? '';
    const images = environments.flatMap((e) => (e.target === 'kubernetes' ? [e.images] : []));
    const base = findOnly(images.map(({ bases }) => bases[python]));
    const packages = findOnly(images.map((i) => i.packages.join(' '))) ?? '';
    const systemPackages = packages === '' ? [] : packages.split(' ');
    const text = renderSbom(await makeSbom({ lock, entity, base, systemPackages }));
    await writeFileAtomically(join(folder, lock.endpoint, `${encodeURIComponent(entity)}.cdx.json`), text);
  }
}

/** The value, if all are the same. */
function findOnly<T>(values: readonly T[]): T | undefined {
  return new Set(values).size === 1 ? values[0] : undefined;
}
