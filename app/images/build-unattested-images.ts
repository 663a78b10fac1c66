import type { AttestationSubject } from '../../images/attestations/verify-attestation.ts';
import type { Endpoint } from '../../schemas/endpoint/endpoint.ts';
import { buildImages, type ImagesRequest } from './build-missing-images.ts';
import type { CheckedImage } from './check-attestations.ts';

/**
 * Builds and pushes those checked images of an endpoint that lack an attestation, also those that the registry has: nobody
 * knows who pushed them. Returns what was pushed, for the workflow to attest.
 */
export async function buildUnattestedImages(
  endpoint: Endpoint,
  { checked, ...request }: ImagesRequest & { readonly checked: readonly CheckedImage[] },
  build: typeof buildImages = buildImages,
): Promise<readonly AttestationSubject[]> {
  const unattested = checked.filter((image) => image.fault !== undefined);
  const references = [...new Set(unattested.map((image) => image.reference))];
  const pushed = await build(endpoint.name, references, { ...request, rebuild: true });
  return references.map((name) => {
    const entity = unattested.find((image) => image.reference === name)?.entity.name ?? '';
    const [, digest = ''] = /@(sha256:[0-9a-f]{64})$/.exec(pushed[entity] ?? '') ?? [];
    if (digest === '') throw new Error(`Cannot attest ${name}: the build gives no digest for it`);
    return { name, digest };
  });
}
