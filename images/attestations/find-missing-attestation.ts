import type { ProvenancePolicy } from '../../schemas/environment/kubernetes-environment.ts';
import { type AttestationApi, fetchAttestations } from './fetch-attestations.ts';
import { readTrustedRoot } from './trusted-roots.ts';
import { type AttestationSubject, findAttestationFault, type VerificationContext } from './verify-attestation.ts';

export interface AttestationRequest {
  readonly policy: ProvenancePolicy;
  readonly api: AttestationApi;
  /** Default: the roots that Sigstore and GitHub publish. */
  readonly readRoot?: VerificationContext['readRoot'] | undefined;
}

/**
 * Whether one of GitHub's attestations proves that the policy's workflow built an image. Returns why not, for people;
 * undefined: one does.
 */
export async function findMissingAttestation(
  subject: AttestationSubject,
  { policy, api, readRoot = readTrustedRoot }: AttestationRequest,
): Promise<string | undefined> {
  let first: string | undefined;
  for await (const bundle of fetchAttestations({ repository: policy.repository, digest: subject.digest }, api)) {
    const fault = await findAttestationFault(bundle, subject, { policy, readRoot });
    if (fault === undefined) return undefined;
    first ??= fault;
  }
  return first ?? `${policy.repository} has no attestation of its digest ${subject.digest}`;
}
