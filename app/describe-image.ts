import { makeSbom, renderSbom, type Sbom } from '../images/make-sbom.ts';
import { type Diagnostic, makeError } from '../schemas/diagnostic.ts';
import type { Environment } from '../schemas/environment/environment.ts';
import { readEndpoint, readLock } from '../schemas/read-project.ts';
import { checkNewEntities, checkRemovedEntities } from '../validation/check-lock.ts';
import type { ProjectRequest } from './project-request.ts';
import { findLockedVirtualenv } from '../schemas/lock/find-locked-virtualenv.ts';

export interface DescribedImage {
  /** Undefined if any diagnostic is an error, like the next field. */
  readonly sbom: Sbom | undefined;
  readonly text: string | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/** Makes the bill of materials of an endpoint's image from its lock. */
export async function describeEndpoint(
  { place }: Pick<ProjectRequest, 'place'>,
  {
    name,
    entity,
    environment,
  }: { readonly name: string; readonly entity: string | undefined; readonly environment: Environment | undefined },
): Promise<DescribedImage> {
  const { value: endpoint, diagnostics: wrong } = await readEndpoint(place, name);
  if (!endpoint) return { sbom: undefined, text: undefined, diagnostics: wrong };
  const { value: lock, diagnostics } = await readLock(place, name);
  if (!lock) return { sbom: undefined, text: undefined, diagnostics };
  const stale = [...checkNewEntities(endpoint, lock), ...checkRemovedEntities(endpoint, lock)];
  if (stale.length > 0) return { sbom: undefined, text: undefined, diagnostics: stale };
  const names = Object.keys(lock.entities);
  const chosen = entity ?? (names.length === 1 ? names[0] : undefined);
  if (chosen === undefined || !names.includes(chosen)) {
    const file = `${place.endpoints}/${name}.lock`;
    const known = `expected one of ${names.join(', ')}`;
    const message = `Cannot choose an image of ${name}: ${chosen === undefined ? 'it has several entities' : `it has no entity "${chosen}"`}, ${known}`;
    const hint = 'Name one with --entity';
    return {
      sbom: undefined,
      text: undefined,
      diagnostics: [makeError('unknown-entity', { file, line: 1, column: 1 }, message, hint)],
    };
  }
  const python = findLockedVirtualenv(lock, chosen)?.python ?? '';
  const images = environment?.target === 'kubernetes' ? environment.images : undefined;
  const { bases = {}, packages: systemPackages = [] } = images ?? {};
  const sbom = await makeSbom({ lock, entity: chosen, base: bases[python], systemPackages });
  return { sbom, text: renderSbom(sbom), diagnostics };
}
