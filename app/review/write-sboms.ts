import { join } from 'node:path';
import { makeSbom, renderSbom } from '../../images/make-sbom.ts';
import type { Environment } from '../../schemas/environment/environment.ts';
import type { Lock } from '../../schemas/lock/lock.ts';
import { writeFileAtomically } from '../../system/atomic-files.ts';

/**
 * Writes the bill of materials of each served entity, `ENDPOINT/ENTITY.cdx.json`. It has the base image only if all
 * environments on Kubernetes use the same one.
 */
export async function writeSboms(folder: string, lock: Lock, environments: readonly Environment[]): Promise<void> {
  for (const [entity, locked] of Object.entries(lock.entities)) {
    const python = lock.virtualenvs[locked.virtualenv]?.python ?? '';
    const bases = new Set(environments.flatMap((e) => (e.target === 'kubernetes' ? [e.images.bases[python]] : [])));
    const base = bases.size === 1 ? [...bases][0] : undefined;
    const text = renderSbom(await makeSbom({ lock, entity, base }));
    await writeFileAtomically(join(folder, lock.endpoint, `${encodeURIComponent(entity)}.cdx.json`), text);
  }
}
