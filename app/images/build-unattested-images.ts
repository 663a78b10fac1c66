import type { AttestationSubject } from '../../images/attestations/verify-attestation.ts';
import type { Endpoint } from '../../schemas/endpoint/endpoint.ts';
import { buildImages, type ImagesRequest } from './build-missing-images.ts';
import { type AttestationsRequest, checkAttestations } from './check-attestations.ts';

/**
 * Builds and pushes the images of an endpoint that lack an attestation, also those that the registry has: nobody knows
 * who pushed them. Returns what was pushed, for the workflow to attest.
 */
export async function buildUnattestedImages(
  endpoint: Endpoint,
  request: ImagesRequest & AttestationsRequest,
  build: typeof buildImages = buildImages,
): Promise<readonly AttestationSubject[]> {
  const unattested = (await checkAttestations(endpoint, request)).filter((image) => image.fault !== undefined);
  const references = [...new Set(unattested.map((image) => image.reference))];
  const pushed = await build(endpoint.name, references, { ...request, rebuild: true });
  return references.map((name) => {
    const entity = unattested.find((image) => image.reference === name)?.entity.name ?? '';
    const [, digest = ''] = /@(sha256:[0-9a-f]{64})$/.exec(pushed[entity] ?? '') ?? [];
    if (digest === '') throw new Error(`Cannot attest ${name}: the build gives no digest for it`);
    return { name, digest };
  });
}
