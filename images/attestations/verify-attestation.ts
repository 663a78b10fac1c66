import { X509Certificate } from 'node:crypto';
import type { Bundle } from '@sigstore/bundle';
import type { Signer, VerifierOptions } from '@sigstore/verify';
import { z } from 'zod';
import type { ProvenancePolicy } from '../../schemas/environment/kubernetes-environment.ts';
import { loadSigstore, type Sigstore } from './load-sigstore.ts';
import type { SigstoreInstance, TrustedRoot } from './trusted-roots.ts';
import { readOwn } from '../../schemas/values/read-own.ts';
import { parseJson } from '../../schemas/values/parse-json.ts';

/** What an attestation has to be about. The name has the tag, so that no image stands for another one. */
export interface AttestationSubject {
  /** Registry, repository and tag. */
  readonly name: string;
  /** `sha256:…` */
  readonly digest: string;
}

export interface VerificationContext {
  readonly policy: ProvenancePolicy;
  readonly readRoot: (instance: SigstoreInstance) => Promise<TrustedRoot>;
}

const ISSUER = 'https://token.actions.githubusercontent.com';
const STATEMENT = 'https://in-toto.io/Statement/v1';
const PREDICATE = 'https://slsa.dev/provenance/v1';
const PAYLOAD = 'application/vnd.in-toto+json';
/** Extensions of Sigstore's certificates: github.com/sigstore/fulcio, docs/oid-info.md. */
const SOURCE_REPOSITORY = '1.3.6.1.4.1.57264.1.12';
const SOURCE_REF = '1.3.6.1.4.1.57264.1.14';
const UTF8_STRING = 0x0c;

/**
 * How many logs have to vouch for a signature. GitHub's own instance, for private repositories, publishes nothing, so
 * its time stamp is the only one. The same numbers as in `gh attestation verify`.
 */
const THRESHOLDS: Readonly<Record<SigstoreInstance, VerifierOptions>> = {
  public: { tlogThreshold: 1, ctlogThreshold: 1, timestampThreshold: 1 },
  github: { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 1 },
};
const INSTANCES: Readonly<Record<string, SigstoreInstance>> = { 'sigstore.dev': 'public', 'GitHub, Inc.': 'github' };

const statement = z.object({
  _type: z.literal(STATEMENT),
  predicateType: z.literal(PREDICATE),
  subject: z.array(z.object({ name: z.string(), digest: z.object({ sha256: z.string() }).loose() }).loose()),
});

/**
 * Verifies the signature of an attestation, who signed it, and that it is about the subject. Returns what is wrong, for
 * people; undefined: nothing. Throws only if the trusted root cannot be read.
 */
export async function findAttestationFault(
  attestation: unknown,
  subject: AttestationSubject,
  { policy, readRoot }: VerificationContext,
): Promise<string | undefined> {
  const sigstore = await loadSigstore();
  const bundle = parseBundle(attestation, sigstore);
  const instance = bundle && findInstance(bundle);
  if (!bundle || !instance) return 'it is not a bundle of Sigstore with a certificate for GitHub Actions';
  const root = await readRoot(instance);
  const signer = verifySignature(bundle, { root, instance, sigstore });
  if (typeof signer === 'string') return signer;
  return findSignerFault(signer, policy) ?? findSubjectFault(bundle, subject);
}

function parseBundle(attestation: unknown, { bundleFromJSON }: Sigstore): Bundle | undefined {
  try {
    return bundleFromJSON(attestation);
  } catch {
    return undefined;
  }
}

/** The instance that the certificate claims to be of. Its root then decides whether that is true. */
function findInstance({ verificationMaterial: { content } }: Bundle): SigstoreInstance | undefined {
  const [certificate] =
    content.$case === 'certificate'
      ? [content.certificate]
      : content.$case === 'x509CertificateChain'
        ? content.x509CertificateChain.certificates
        : [];
  try {
    const { issuer } = new X509Certificate(Buffer.from(certificate?.rawBytes ?? ''));
    const [, organisation = ''] = /^O=(.*)$/m.exec(issuer) ?? [];
    return readOwn(INSTANCES, organisation.replaceAll('\\', '')); // Node escapes the comma
  } catch {
    return undefined;
  }
}

interface SignatureContext {
  readonly root: TrustedRoot;
  readonly instance: SigstoreInstance;
  readonly sigstore: Sigstore;
}

function verifySignature(bundle: Bundle, { root, instance, sigstore }: SignatureContext): Signer | string {
  const { toSignedEntity, toTrustMaterial, Verifier, VerificationError } = sigstore;
  const verifier = new Verifier(toTrustMaterial(root), THRESHOLDS[instance]);
  try {
    return verifier.verify(toSignedEntity(bundle));
  } catch (e) {
    if (e instanceof VerificationError) return `its signature is not valid: ${e.message}`;
    return 'its signature cannot be read'; // a stranger's bytes in formats that the library parses strictly
  }
}

function findSignerFault({ identity }: Signer, { repository, workflow, branch }: ProvenancePolicy): string | undefined {
  const { extensions, subjectAlternativeName = '' } = identity ?? {};
  const [path = '', ref] = workflow.split('@');
  const signed = subjectAlternativeName.slice(0, subjectAlternativeName.lastIndexOf('@'));
  const isSigner =
    signed === `https://github.com/${path}` &&
    (ref === undefined || subjectAlternativeName === `https://github.com/${workflow}`);
  const source = readExtension(identity, SOURCE_REPOSITORY);
  const sourceRef = readExtension(identity, SOURCE_REF);
  if (extensions?.issuer !== ISSUER) return 'it was not signed in GitHub Actions';
  if (source !== `https://github.com/${repository}`)
    return `it is of ${source ?? 'no repository'}, expected https://github.com/${repository}`;
  if (!isSigner) return `it was signed by ${subjectAlternativeName || 'nobody'}, expected ${workflow}`;
  if (sourceRef !== `refs/heads/${branch}`)
    return `it is of ${sourceRef ?? 'no branch'}, expected refs/heads/${branch}`;
  return undefined;
}

function readExtension(identity: Signer['identity'], name: string): string | undefined {
  const found = identity?.oids?.find(({ oid }) => oid?.id.join('.') === name)?.value;
  if (!found || found[0] !== UTF8_STRING) return undefined;
  // A DER string: its length takes one byte, or two after 0x81 (up to 255), or three after 0x82.
  const [, length = 0] = found;
  const header = length < 0x80 ? 2 : 2 + (length & 0x7f);
  return Buffer.from(found.subarray(header)).toString('utf8');
}

function findSubjectFault({ content }: Bundle, { name, digest }: AttestationSubject): string | undefined {
  if (content.$case !== 'dsseEnvelope' || content.dsseEnvelope.payloadType !== PAYLOAD) return NOT_PROVENANCE;
  const parsed = parseJson(content.dsseEnvelope.payload.toString('utf8'), statement);
  if (!parsed) return NOT_PROVENANCE;
  const subjects = parsed.subject.filter((s) => `sha256:${s.digest.sha256}` === digest);
  if (subjects.length === 0) return `it is about another image, expected the digest ${digest}`;
  if (subjects.some((s) => s.name === name)) return undefined;
  return `it is about ${subjects[0]?.name ?? ''}, expected ${name}`;
}

const NOT_PROVENANCE = `it is not a provenance (${PREDICATE})`;
