import { join } from 'node:path';
import { AUTHORITY, getCertificate, getKubeconfigPath, TOKEN_KEY } from './certificates.ts';
import type { Component } from './node-process.ts';
import { API_PORT, NODE_ADDRESS, NODE_FOLDER, POD_RANGE, SERVICE_RANGE } from './node-layout.ts';

const ETCD = 'http://127.0.0.1:2379';
const API_ADDRESS = `tcp:${NODE_ADDRESS}:${API_PORT.toString()}`;

/** etcd, the API server, the controllers and the scheduler. */
export function makeControlPlane({
  etcd,
  kubernetes,
}: {
  readonly etcd: string;
  /** The folder of Kubernetes' programs. */
  readonly kubernetes: string;
}): readonly Component[] {
  return [
    { name: 'etcd', command: [etcd, ...makeEtcdFlags()] },
    {
      name: 'api',
      command: [join(kubernetes, 'kube-apiserver'), ...makeApiServerFlags()],
      after: 'tcp:127.0.0.1:2379',
    },
    {
      name: 'controllers',
      command: [join(kubernetes, 'kube-controller-manager'), ...makeControllerFlags()],
      after: API_ADDRESS,
    },
    {
      name: 'scheduler',
      command: [join(kubernetes, 'kube-scheduler'), ...makeClientFlags('scheduler'), '--leader-elect=false'],
      after: API_ADDRESS,
    },
  ];
}

/** The address that must answer before a component that calls the API is started. */
export const API_READY_ADDRESS = API_ADDRESS;

function makeEtcdFlags(): readonly string[] {
  return [
    ...['--data-dir', join(NODE_FOLDER, 'etcd')],
    ...['--listen-client-urls', ETCD, '--advertise-client-urls', ETCD],
    ...['--listen-peer-urls', 'http://127.0.0.1:2380'],
    '--unsafe-no-fsync', // its data is deleted with the node anyway
    '--log-level=warn',
  ];
}

function makeApiServerFlags(): readonly string[] {
  const [server, admin] = [getCertificate('api'), getCertificate('admin')];
  return [
    `--advertise-address=${NODE_ADDRESS}`,
    `--secure-port=${API_PORT.toString()}`,
    `--etcd-servers=${ETCD}`,
    `--service-cluster-ip-range=${SERVICE_RANGE}`,
    `--service-account-key-file=${TOKEN_KEY}`,
    `--service-account-signing-key-file=${TOKEN_KEY}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--client-ca-file=${AUTHORITY.certificate}`,
    `--tls-cert-file=${server.certificate}`,
    `--tls-private-key-file=${server.key}`,
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    '--allow-privileged',
    '--kubelet-preferred-address-types=InternalIP', // no name server knows the node's name
    `--kubelet-client-certificate=${admin.certificate}`,
    `--kubelet-client-key=${admin.key}`,
    `--kubelet-certificate-authority=${AUTHORITY.certificate}`,
    '--endpoint-reconciler-type=master-count',
  ];
}

function makeControllerFlags(): readonly string[] {
  return [
    ...makeClientFlags('controllers'),
    '--leader-elect=false',
    `--service-account-private-key-file=${TOKEN_KEY}`,
    `--root-ca-file=${AUTHORITY.certificate}`,
    '--use-service-account-credentials',
    `--cluster-cidr=${POD_RANGE}`,
  ];
}

function makeClientFlags(name: 'controllers' | 'scheduler'): readonly string[] {
  const file = getKubeconfigPath(name);
  return [`--kubeconfig=${file}`, `--authentication-kubeconfig=${file}`, `--authorization-kubeconfig=${file}`];
}
