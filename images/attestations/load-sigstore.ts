/** Sigstore's own library. It is loaded where it is used, because it is no part of the action's bundle. */
export async function loadSigstore() {
  const [{ bundleFromJSON }, { toSignedEntity, toTrustMaterial, Verifier, VerificationError }, { getTrustedRoot }] =
    await Promise.all([import('@sigstore/bundle'), import('@sigstore/verify'), import('@sigstore/tuf')]);
  return { bundleFromJSON, toSignedEntity, toTrustMaterial, Verifier, VerificationError, getTrustedRoot };
}

export type Sigstore = Awaited<ReturnType<typeof loadSigstore>>;
