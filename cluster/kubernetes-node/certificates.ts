import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomically } from '../../system/atomic-files.ts';
import { API_PORT, API_SERVICE_ADDRESS, KUBECONFIG, NODE_ADDRESS, NODE_FOLDER, NODE_NAME } from './node-layout.ts';
import { runChecked } from '../run-checked.ts';

/** The files of a certificate and its key. */
export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
}

const FOLDER = join(NODE_FOLDER, 'certificates');
const DAYS = '3650';
export const AUTHORITY = files('authority');
/** Signs the tokens of service accounts. */
export const TOKEN_KEY = join(FOLDER, 'tokens.key');

interface ComponentIdentity {
  readonly user: string;
  readonly group?: string;
  /** Names and addresses for the server certificate. */
  readonly names?: readonly string[];
  readonly kubeconfig?: string;
}

const IDENTITIES = {
  api: {
    user: 'kube-apiserver',
    names: [
      'DNS:localhost',
      ...['', '.default', '.default.svc', '.default.svc.cluster.local'].map((end) => `DNS:kubernetes${end}`),
      `IP:127.0.0.1`,
      `IP:${API_SERVICE_ADDRESS}`,
      `IP:${NODE_ADDRESS}`,
    ],
  },
  admin: { user: 'admin', group: 'system:masters', kubeconfig: KUBECONFIG },
  controllers: { user: 'system:kube-controller-manager', kubeconfig: getKubeconfigPath('controllers') },
  scheduler: { user: 'system:kube-scheduler', kubeconfig: getKubeconfigPath('scheduler') },
  proxy: { user: 'system:kube-proxy', group: 'system:node-proxier', kubeconfig: getKubeconfigPath('proxy') },
  // `kubectl logs` fails if the certificate does not contain the node's address.
  kubelet: {
    user: `system:node:${NODE_NAME}`,
    group: 'system:nodes',
    names: [`DNS:${NODE_NAME}`, 'IP:127.0.0.1', `IP:${NODE_ADDRESS}`],
    kubeconfig: getKubeconfigPath('kubelet'),
  },
} as const satisfies Readonly<Record<string, ComponentIdentity>>;

export type IdentityName = keyof typeof IDENTITIES;

/** Makes a new authority, a certificate for each component, and kubeconfig files for components that call the API. */
export async function makeCertificates(): Promise<void> {
  await mkdir(FOLDER, { recursive: true, mode: 0o700 });
  const { key, certificate } = AUTHORITY;
  await openssl([
    'req',
    '-x509',
    ...makeKeyFlags(key),
    '-out',
    certificate,
    '-days',
    DAYS,
    '-subj',
    '/CN=davit-cluster',
  ]);
  await openssl(['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', TOKEN_KEY]);
  await Promise.all(Object.entries(IDENTITIES).map(([name, identity]) => makeIdentity(name, identity)));
}

export function getCertificate(name: IdentityName): CertificateFiles {
  return files(name);
}

export function getKubeconfigPath(name: 'controllers' | 'scheduler' | 'proxy' | 'kubelet'): string {
  return join(NODE_FOLDER, 'certificates', `${name}.kubeconfig`);
}

async function makeIdentity(
  name: string,
  { user, group = 'davit', names, kubeconfig }: ComponentIdentity,
): Promise<void> {
  const { key, certificate } = files(name);
  const request = join(FOLDER, `${name}.csr`);
  const extensions = join(FOLDER, `${name}.ext`);
  const lines = ['keyUsage=digitalSignature,keyEncipherment', 'extendedKeyUsage=serverAuth,clientAuth'];
  await writeFile(extensions, [...lines, ...(names ? [`subjectAltName=${names.join(',')}`] : []), ''].join('\n'));
  await openssl(['req', ...makeKeyFlags(key), '-out', request, '-subj', `/O=${group}/CN=${user}`]);
  const authority = ['-CA', AUTHORITY.certificate, '-CAkey', AUTHORITY.key, '-set_serial', `0x${makeSerial(name)}`];
  await openssl([
    'x509',
    '-req',
    '-in',
    request,
    ...authority,
    '-days',
    DAYS,
    '-extfile',
    extensions,
    '-out',
    certificate,
  ]);
  if (kubeconfig !== undefined) await writeFileAtomically(kubeconfig, await renderKubeconfig(name), 0o600);
}

/** Embeds the contents instead of paths, so that the file can be copied. */
async function renderKubeconfig(name: string): Promise<string> {
  const { key, certificate } = files(name);
  const read = (file: string) => readFile(file, 'base64');
  const [authority, ours, secret] = await Promise.all([read(AUTHORITY.certificate), read(certificate), read(key)]);
  const server = `https://${NODE_ADDRESS}:${API_PORT.toString()}`;
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'davit', cluster: { server, 'certificate-authority-data': authority } }],
    users: [{ name, user: { 'client-certificate-data': ours, 'client-key-data': secret } }],
    contexts: [{ name: 'davit', context: { cluster: 'davit', user: name } }],
    'current-context': 'davit',
  });
}

function files(name: string): CertificateFiles {
  return { certificate: join(FOLDER, `${name}.crt`), key: join(FOLDER, `${name}.key`) };
}

function makeKeyFlags(file: string): readonly string[] {
  return ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', file];
}

function makeSerial(name: string): string {
  return Buffer.from(name).toString('hex');
}

async function openssl(args: readonly string[]): Promise<void> {
  await runChecked('make certificates', ['openssl', ...args]);
}
