import { type Diagnostic, makeError, makeWarning } from '../../schemas/diagnostic.ts';
import type { Endpoint, Entity } from '../../schemas/endpoint/endpoint.ts';
import type { Environment, KubernetesEnvironment } from '../../schemas/environment/environment.ts';
import type { Proof, SystemLibrary } from '../../schemas/lock/proof.ts';
import { joinHints } from '../subject.ts';
import type { Validation } from '../validation.ts';
import { baseHasLibrary } from './base-libraries.ts';
import { findLibraryPackage, hasLibrary } from './library-packages.ts';

/**
 * Checks that an image has the shared libraries of the system that the proof has loaded. Only targets that make images
 * have other libraries than the machine of the proof.
 */
export function checkLibrariesInEnvironment(
  { entities }: Endpoint,
  validation: Pick<Validation, 'entities'>,
  environment: Environment,
): readonly Diagnostic[] {
  if (environment.target !== 'kubernetes') return [];
  return entities.flatMap((entity) => {
    const proof = validation.entities.find((e) => e.entity === entity.name)?.proof;
    return proof ? checkLibraries(entity, proof, environment) : [];
  });
}

function checkLibraries(entity: Entity, proof: Proof, environment: KubernetesEnvironment): readonly Diagnostic[] {
  const [python = ''] = /^\d+\.\d+/.exec(proof.python) ?? [];
  const base = environment.images.bases[python];
  if (base === undefined) return []; // no image can be made, which is said elsewhere
  return proof.libraries.flatMap((library) => checkLibrary(entity, library, base, environment));
}

/** An error only for what is certain: a library that was opened by name may be one that the model can do without. */
function checkLibrary(
  { name, place }: Entity,
  library: SystemLibrary,
  base: string,
  { name: environment, file, images: { packages } }: KubernetesEnvironment,
): readonly Diagnostic[] {
  const [inBase, installed] = [baseHasLibrary(base, library.name), hasLibrary(packages, library.name)];
  if (inBase === 'yes' || installed === 'yes') return [];
  const user = library.by === undefined ? 'it was loaded here by its name' : `${library.by} needs it`;
  const [image = ''] = base.split('@');
  const isCertain = inBase === 'no' && installed === 'no';
  const why = isCertain
    ? `the base image ${image} of environment "${environment}" lacks it`
    : `it is not known whether the image in environment "${environment}", made of ${image}, has it`;
  const make = isCertain && library.by !== undefined ? makeError : makeWarning;
  const message = `${isCertain ? 'Cannot' : 'May not'} load "${name}" without the library ${library.name}: ${user}, and ${why}`;
  return [make('library-missing', place, message, renderHint(library.name, file))];
}

function renderHint(library: string, file: string): string | undefined {
  const name = findLibraryPackage(library);
  return name === undefined
    ? joinHints(
        `Add the Debian package that provides it to images.packages in ${file}`,
        `packages.debian.org finds it by the file ${library}`,
      )
    : `Add "${name}" to images.packages in ${file}`;
}
