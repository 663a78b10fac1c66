import { execFileSync } from 'node:child_process';
import { createHash, createPrivateKey, sign, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import { afterAll } from 'vitest';

const ISSUER = 'https://token.actions.githubusercontent.com';

/** What GitHub's certificate says about the run that signs. */
export interface FakeRun {
  readonly repository: string;
  /** With `@REF`. */
  readonly workflow: string;
  readonly ref: string;
  readonly issuer?: string;
}

export interface FakeStatement {
  readonly subjects: readonly { readonly name: string; readonly digest: string }[];
  readonly predicateType?: string;
}

/**
 * A Sigstore like GitHub's own: a certificate authority and a time stamp authority, both by OpenSSL. Only what is
 * behind its root is invented; the certificates, signatures and time stamps are real. For a whole file of tests.
 */
export function makeFakeSigstore() {
  const folder = mkdtempSync(join(tmpdir(), 'davit-sigstore-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  let serial = 100;
  const file = (name: string) => join(folder, name);
  const openssl = (...args: readonly string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  makeAuthority('ca');
  makeCertificate('tsa', ['extendedKeyUsage=critical,timeStamping', 'keyUsage=critical,digitalSignature']);
  writeFileSync(file('tsa.cnf'), TIME_STAMP_SETTINGS);

  function makeAuthority(name: string): void {
    const subject = ['-subj', `/O=GitHub, Inc./CN=${name}`, '-days', '3650'];
    openssl('req', '-x509', ...CURVE, '-keyout', `${name}.key`, '-out', `${name}.pem`, ...subject);
  }

  function makeCertificate(name: string, extensions: readonly string[]): void {
    const by = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-set_serial', String(serial++), '-days', '1'];
    const added = ['basicConstraints=CA:FALSE', ...extensions].flatMap((extension) => ['-addext', extension]);
    const files = ['-keyout', `${name}.key`, '-out', `${name}.pem`];
    openssl('req', '-x509', ...CURVE, ...files, '-subj', `/CN=${name}`, ...by, ...added);
  }

  const readDer = (name: string) => new X509Certificate(readFileSync(file(`${name}.pem`))).raw;

  /** Signs a statement as a run of GitHub Actions does. */
  function attest({ repository, workflow, ref, issuer = ISSUER }: FakeRun, statement: FakeStatement) {
    makeCertificate('leaf', [
      `subjectAltName=critical,URI:https://github.com/${workflow}`,
      `1.3.6.1.4.1.57264.1.8=ASN1:UTF8String:${issuer}`,
      `1.3.6.1.4.1.57264.1.12=ASN1:UTF8String:https://github.com/${repository}`,
      `1.3.6.1.4.1.57264.1.14=ASN1:UTF8String:${ref}`,
      'keyUsage=critical,digitalSignature',
      'extendedKeyUsage=codeSigning',
    ]);
    const payload = Buffer.from(JSON.stringify(renderStatement(statement)));
    const payloadType = 'application/vnd.in-toto+json';
    const signed = Buffer.concat([
      Buffer.from(`DSSEv1 ${payloadType.length} ${payloadType} ${payload.length} `),
      payload,
    ]);
    const signature = sign('sha256', signed, createPrivateKey(readFileSync(file('leaf.key'))));
    return {
      mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
      verificationMaterial: {
        certificate: { rawBytes: readDer('leaf').toString('base64') },
        tlogEntries: [],
        timestampVerificationData: { rfc3161Timestamps: [{ signedTimestamp: stamp(signature) }] },
      },
      dsseEnvelope: {
        payload: payload.toString('base64'),
        payloadType,
        signatures: [{ sig: signature.toString('base64'), keyid: '' }],
      },
    };
  }

  function stamp(signature: Buffer): string {
    const digest = createHash('sha256').update(signature).digest('hex');
    openssl('ts', '-query', '-digest', digest, '-sha256', '-no_nonce', '-out', 'query.tsq');
    const by = ['-config', 'tsa.cnf', '-signer', 'tsa.pem', '-inkey', 'tsa.key'];
    openssl('ts', '-reply', '-queryfile', 'query.tsq', ...by, '-out', 'reply.tsr');
    return readFileSync(file('reply.tsr')).toString('base64');
  }

  function makeRoot(): TrustedRoot {
    const chain = (...names: readonly string[]) => ({
      subject: { organization: 'GitHub, Inc.', commonName: 'test' },
      certChain: { certificates: names.map((name) => ({ rawBytes: readDer(name).toString('base64') })) },
      validFor: { start: '2020-01-01T00:00:00Z' },
    });
    return TrustedRoot.fromJSON({
      mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
      certificateAuthorities: [chain('ca')],
      timestampAuthorities: [chain('tsa', 'ca')],
    });
  }
  return { attest, root: makeRoot() };
}

function renderStatement({ subjects, predicateType = 'https://slsa.dev/provenance/v1' }: FakeStatement) {
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: subjects.map(({ name, digest }) => ({ name, digest: { sha256: digest.replace('sha256:', '') } })),
    predicateType,
    predicate: { buildDefinition: {}, runDetails: {} },
  };
}

const CURVE = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

const TIME_STAMP_SETTINGS = `
[tsa]
default_tsa = settings
[settings]
serial = serial
default_policy = 1.2.3.4.1
digests = sha256
signer_digest = sha256
accuracy = secs:1
ess_cert_id_alg = sha256
`;
