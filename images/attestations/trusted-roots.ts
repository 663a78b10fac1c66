import type { toTrustMaterial } from '@sigstore/verify';
import { cacheFolder } from '../../system/cache.ts';
import { codePath } from '../../system/code.ts';
import { loadSigstore } from './load-sigstore.ts';

/** The certificates and logs that Sigstore's signatures are checked with. */
export type TrustedRoot = Parameters<typeof toTrustMaterial>[0];

/** `public`: for public repositories; `github`: GitHub's own, for private ones. */
export type SigstoreInstance = 'public' | 'github';

/**
 * Where each instance publishes its root by TUF, which also renews it. The first root of the public one comes with the
 * library; that of GitHub is the one in GitHub's own command line (cli/cli, `embed/tuf-repo.github.com/root.json`).
 */
const SOURCES = {
  public: {},
  github: {
    mirrorURL: 'https://tuf-repo.github.com',
    rootPath: codePath('images', 'attestations', 'github-root.json'),
  },
} as const;
const TIMEOUT_MILLISECONDS = 30_000;

const roots = new Map<SigstoreInstance, Promise<TrustedRoot>>();

/** Fetches the current root of an instance, once, because two at a time would write the same files of its cache. */
export function readTrustedRoot(instance: SigstoreInstance): Promise<TrustedRoot> {
  const reading = roots.get(instance) ?? fetchRoot(instance);
  roots.set(instance, reading);
  reading.catch(() => roots.delete(instance));
  return reading;
}

async function fetchRoot(instance: SigstoreInstance): Promise<TrustedRoot> {
  const options = { ...SOURCES[instance], cachePath: cacheFolder('sigstore', instance), timeout: TIMEOUT_MILLISECONDS };
  const { getTrustedRoot } = await loadSigstore();
  try {
    return await getTrustedRoot(options);
  } catch (e) {
    throw new Error(
      'Cannot verify attestations: the root of trust of Sigstore cannot be fetched. Check that this machine reaches tuf-repo-cdn.sigstore.dev and tuf-repo.github.com, then run the same command again',
      { cause: e },
    );
  }
}
