import { type AttestationRequest, findMissingAttestation } from '../../images/attestations/find-missing-attestation.ts';
import { type AttestationApi, hasAttestations, NO_ATTESTATIONS } from '../../images/attestations/fetch-attestations.ts';
import { planImage } from '../../images/plan-image.ts';
import { readImageDigest } from '../../images/registry.ts';
import type { AttestedImages } from '../../schemas/deployment/attested-images.ts';
import { type Diagnostic, makeError } from '../../schemas/diagnostic.ts';
import type { Endpoint, Entity } from '../../schemas/endpoint/endpoint.ts';
import type { KubernetesEnvironment } from '../../schemas/environment/environment.ts';
import { readLock } from '../../schemas/read-project.ts';
import type { ProjectRequest } from '../project-request.ts';

export interface AttestationsRequest extends Pick<ProjectRequest, 'place' | 'signal'> {
  readonly environment: KubernetesEnvironment;
  /** Default: GitHub, or in a workflow its own server, with the token in GH_TOKEN or GITHUB_TOKEN. */
  readonly attestations?: AttestationApi | undefined;
  /** Default: the roots of trust that Sigstore and GitHub publish. */
  readonly readRoot?: AttestationRequest['readRoot'];
}

/** An image, and whether one of its attestations is what the environment requires. */
export interface CheckedImage {
  readonly entity: Entity;
  readonly reference: string;
  /** Undefined: the registry does not have the image. */
  readonly digest: string | undefined;
  /** What is missing, for people; undefined: nothing. */
  readonly fault: string | undefined;
}

/** Checks the images of an endpoint. Returns none where the environment requires no attestations. */
export async function checkAttestations(
  endpoint: Endpoint,
  { place, environment, signal, attestations: api = findApi(signal), readRoot }: AttestationsRequest,
): Promise<readonly CheckedImage[]> {
  const { provenance: policy } = environment.images;
  if (!policy) return [];
  const { value: lock } = await readLock(place, endpoint.name);
  if (!lock)
    throw new Error(`Cannot read the lock of "${endpoint.name}": it was removed or damaged while this command ran`);
  return Promise.all(
    endpoint.entities.map(async (entity) => {
      const { reference } = await planImage({ endpoint, entity, lock, settings: environment.images });
      if (!hasAttestations(api)) return { entity, reference, digest: undefined, fault: NO_ATTESTATIONS };
      const digest = await readImageDigest(reference, { signal });
      const fault =
        digest === undefined
          ? 'the registry does not have it'
          : await findMissingAttestation({ name: reference, digest }, { policy, api, readRoot });
      return { entity, reference, digest, fault };
    }),
  );
}

function findApi(signal: AbortSignal): AttestationApi {
  const token = process.env['GH_TOKEN'] || process.env['GITHUB_TOKEN'] || '';
  return { url: process.env['GITHUB_API_URL'] || 'https://api.github.com', token, signal };
}

/** The errors of images that must not be deployed, each at the line of its entity. */
export function makeAttestationErrors(
  images: readonly CheckedImage[],
  { file, images: { provenance } }: KubernetesEnvironment,
): readonly Diagnostic[] {
  return images.flatMap(({ entity, reference, fault }) =>
    fault === undefined
      ? []
      : [
          makeError(
            'image-unattested',
            entity.place,
            `Cannot deploy the image ${reference}: ${fault}`,
            `${file} accepts only images that ${provenance?.workflow ?? ''} built${fault === NO_ATTESTATIONS ? '' : '. Start that workflow for this endpoint: its step "Build images" says why it has built none'}`,
          ),
        ],
  );
}

/** The images that the Pulumi program may deploy, by their digests. */
export function listAttestedImages(images: readonly CheckedImage[]): AttestedImages {
  return Object.fromEntries(
    images.flatMap(({ reference, digest, fault }) =>
      fault === undefined && digest !== undefined ? [[reference, digest] as const] : [],
    ),
  );
}
