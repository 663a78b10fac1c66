import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import { expect, test } from 'vitest';
import { findMissingAttestation } from '../../../images/attestations/find-missing-attestation.ts';
import { findAttestationFault } from '../../../images/attestations/verify-attestation.ts';
import { connected, REPOSITORY } from '../../action/github/connect-fake-github.ts';
import type { Seed } from '../../action/github/fake/seed.ts';
import { type FakeRun, type FakeStatement, makeFakeSigstore } from './fake-sigstore.ts';

const WORKFLOW = 'acme/davit/.github/workflows/deploy.yaml';
const POLICY = { repository: REPOSITORY, workflow: WORKFLOW, branch: 'main' };
const RUN: FakeRun = { repository: REPOSITORY, workflow: `${WORKFLOW}@refs/tags/v1.0.0`, ref: 'refs/heads/main' };
const DIGEST = `sha256:${'9'.repeat(64)}`;
const OTHER_DIGEST = `sha256:${'8'.repeat(64)}`;
const IRIS = { name: 'ghcr.io/acme/models/iris:1-2', digest: DIGEST };
const TOKENS = { ours: { login: 'bot', permissions: { attestations: 'read' } } } as const;

const SIGSTORE = makeFakeSigstore();
const OTHER_SIGSTORE = makeFakeSigstore();

type Attested = Partial<FakeRun> &
  Partial<FakeStatement> & { readonly times?: number; readonly change?: (bundle: Bundle) => object };
type Bundle = ReturnType<typeof SIGSTORE.attest>;

/** A GitHub that keeps these attestations of one digest, as `actions/attest-build-provenance` stores them. */
async function attested(runs: readonly Attested[], { attest } = SIGSTORE, faults: Seed['faults'] = []) {
  const bundles = runs.flatMap(({ subjects = [IRIS], predicateType, times = 1, change = (b) => b, ...run }) => {
    const statement = { subjects, ...(predicateType !== undefined && { predicateType }) };
    return Array<object>(times).fill(change(attest({ ...RUN, ...run }, statement)));
  });
  const { fake } = await connected({
    tokens: TOKENS,
    faults,
    attestations: { [DIGEST]: bundles as Record<string, unknown>[] },
  });
  return (policy: Partial<typeof POLICY> = {}, subject = IRIS) =>
    findMissingAttestation(subject, {
      policy: { ...POLICY, ...policy },
      api: { url: fake.url, token: 'ours' },
      readRoot: () => Promise.resolve(SIGSTORE.root),
    });
}

test('an image that the workflow has attested is accepted, also beside older attestations of others', async () => {
  expect(await (await attested([{}]))()).toBeUndefined();
  const check = await attested([{ repository: 'mallory/models' }, { subjects: [{ ...IRIS, name: 'x' }, IRIS] }]);
  expect(await check()).toBeUndefined();
  expect(await check({ workflow: `${WORKFLOW}@refs/tags/v1.0.0` })).toBeUndefined();
});

test('an attestation behind a hundred others, which any workflow can make, is found', async () => {
  expect(await (await attested([{ times: 100, change: () => ({ mediaType: 'x' }) }, {}]))()).toBeUndefined();
});

test('a renamed repository is followed to its address, on the same host only', async () => {
  const moved = (location: string) => [{ operation: 'repos/list-attestations', status: 301, headers: { location } }];
  const path = `/repos/${REPOSITORY}/attestations/${encodeURIComponent(DIGEST)}`;
  expect(await (await attested([{}], SIGSTORE, moved(path)))()).toBeUndefined();
  const check = await attested([{}], SIGSTORE, moved('https://mallory.example/'));
  await expect(check()).rejects.toThrow('leads to mallory.example, expected its own host');
});

test('an image without an attestation is named with its digest', async () => {
  expect(await (await attested([]))()).toBe(`${REPOSITORY} has no attestation of its digest ${DIGEST}`);
  const other = { ...IRIS, digest: OTHER_DIGEST };
  expect(await (await attested([{}]))({}, other)).toBe(
    `${REPOSITORY} has no attestation of its digest ${OTHER_DIGEST}`,
  );
});

test.each<[string, Partial<FakeRun> & Partial<FakeStatement>, string]>([
  [
    'of another repository',
    { repository: 'mallory/models' },
    'it is of https://github.com/mallory/models, expected https://github.com/octo/models',
  ],
  [
    'of a repository whose name begins the same',
    { repository: `${REPOSITORY}-2` },
    'it is of https://github.com/octo/models-2, expected',
  ],
  [
    'by another workflow',
    { workflow: `${REPOSITORY}/.github/workflows/evil.yaml@refs/heads/main` },
    'it was signed by https://github.com/octo/models/.github/workflows/evil.yaml@refs/heads/main, expected acme/davit',
  ],
  [
    'by a workflow whose name ends the same',
    { workflow: `mallory/${WORKFLOW}@refs/tags/v1` },
    'it was signed by https://github.com/mallory/acme',
  ],
  ['by a file name with an @', { workflow: `${WORKFLOW}@x/evil.yaml@refs/tags/v1` }, 'it was signed by'],
  ['of a pull request', { ref: 'refs/pull/7/merge' }, 'it is of refs/pull/7/merge, expected refs/heads/main'],
  ['of another branch', { ref: 'refs/heads/main-2' }, 'it is of refs/heads/main-2, expected refs/heads/main'],
  ['of another certificate issuer', { issuer: 'https://gitlab.com' }, 'it was not signed in GitHub Actions'],
  [
    'about another image',
    { subjects: [{ ...IRIS, digest: OTHER_DIGEST }] },
    'it is about another image, expected the digest sha256:999',
  ],
  [
    'about another tag',
    { subjects: [{ ...IRIS, name: 'ghcr.io/acme/models/wine:1' }] },
    'it is about ghcr.io/acme/models/wine:1, expected ghcr.io/acme/models/iris:1-2',
  ],
  ['that is no provenance', { predicateType: 'https://spdx.dev/Document/v2.3' }, 'it is not a provenance'],
])('an attestation %s proves nothing', async (_, run, fault) => {
  expect(await (await attested([run]))()).toContain(fault);
});

test('neither does one of an older release, where the environment pins one', async () => {
  const check = await attested([{}]);
  expect(await check({ workflow: `${WORKFLOW}@refs/tags/v2.0.0` })).toContain('it was signed by');
});

test.each<[string, (bundle: Bundle) => object, string]>([
  [
    'with another payload',
    (b) => ({ ...b, dsseEnvelope: { ...b.dsseEnvelope, payload: btoa('{}') } }),
    'its signature is not valid',
  ],
  [
    'with another signature',
    (b) => ({ ...b, dsseEnvelope: { ...b.dsseEnvelope, signatures: [{ sig: btoa('x'), keyid: '' }] } }),
    'its signature is not valid',
  ],
  [
    'without a time stamp',
    (b) => ({
      ...b,
      verificationMaterial: { ...b.verificationMaterial, timestampVerificationData: { rfc3161Timestamps: [] } },
    }),
    'its signature is not valid: expected 1 timestamps',
  ],
  [
    'with a certificate of no Sigstore',
    (b) => ({ ...b, verificationMaterial: { ...b.verificationMaterial, certificate: { rawBytes: btoa('x') } } }),
    'it is not a bundle of Sigstore',
  ],
  ['that is anything', () => ({ mediaType: 'x' }), 'it is not a bundle of Sigstore'],
])('a bundle %s proves nothing', async (_, change, fault) => {
  expect(await (await attested([{ change }]))()).toContain(fault);
});

test('nor does one that another certificate authority has signed', async () => {
  expect(await (await attested([{}], OTHER_SIGSTORE))()).toContain('its signature is not valid');
});

/** From the public log of Sigstore: made by a reusable workflow, for a repository that calls it. */
test("an attestation of the public instance is verified with that instance's own root", async () => {
  const bundle: unknown = JSON.parse(readFileSync(join(import.meta.dirname, 'public-attestation.json'), 'utf8'));
  const workflow = 'github/artifact-attestations-workflows/.github/workflows/attest.yml';
  const subject = {
    name: 'github_provenance_demo-0.0.0-py3-none-any.whl',
    digest: 'sha256:49a3aa6075e0f49f82843e74b5baa614ad2a588e6675612bf108a0a008c5ac25',
  };
  const context = {
    policy: { repository: 'malancas/attest-demo', workflow, branch: 'main' },
    readRoot: (instance: string) => Promise.resolve(instance === 'public' ? readLibraryRoot() : SIGSTORE.root),
  };
  expect(await findAttestationFault(bundle, subject, context)).toBeUndefined();
  const readRoot = () => Promise.resolve(SIGSTORE.root);
  expect(await findAttestationFault(bundle, subject, { ...context, readRoot })).toContain('its signature is not valid');
});

/** The root that the library begins with; TUF renews it. */
function readLibraryRoot(): TrustedRoot {
  const seeds = createRequire(import.meta.url)('@sigstore/tuf/seeds.json') as Readonly<
    Record<string, { readonly targets: Readonly<Record<string, string>> }>
  >;
  const text = seeds['https://tuf-repo-cdn.sigstore.dev']?.targets['trusted_root.json'] ?? '';
  return TrustedRoot.fromJSON(JSON.parse(Buffer.from(text, 'base64').toString()));
}
