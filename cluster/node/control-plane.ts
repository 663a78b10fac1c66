import { join } from 'node:path';
import { AUTHORITY, certificateOf, kubeconfigOf, TOKEN_KEY } from './certificates.ts';
import type { Component } from './node-process.ts';
import { API_PORT, NODE_ADDRESS, NODE_FOLDER, POD_RANGE, SERVICE_RANGE } from './node-layout.ts';

const ETCD = 'http://127.0.0.1:2379';
const API = `tcp:${NODE_ADDRESS}:${API_PORT.toString()}`;

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
    { name: 'etcd', command: [etcd, ...etcdFlags()] },
    { name: 'api', command: [join(kubernetes, 'kube-apiserver'), ...apiFlags()], after: 'tcp:127.0.0.1:2379' },
    { name: 'controllers', command: [join(kubernetes, 'kube-controller-manager'), ...controllerFlags()], after: API },
    {
      name: 'scheduler',
      command: [join(kubernetes, 'kube-scheduler'), ...callerFlags('scheduler'), '--leader-elect=false'],
      after: API,
    },
  ];
}

/** The address that must answer before a component that calls the API is started. */
export const API_ANSWERS = API;

function etcdFlags(): readonly string[] {
  return [
    ...['--data-dir', join(NODE_FOLDER, 'etcd')],
    ...['--listen-client-urls', ETCD, '--advertise-client-urls', ETCD],
    ...['--listen-peer-urls', 'http://127.0.0.1:2380'],
    '--unsafe-no-fsync', // its data is gone with the node anyway
    '--log-level=warn',
  ];
}

function apiFlags(): readonly string[] {
  const [server, admin] = [certificateOf('api'), certificateOf('admin')];
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

function controllerFlags(): readonly string[] {
  return [
    ...callerFlags('controllers'),
    '--leader-elect=false',
    `--service-account-private-key-file=${TOKEN_KEY}`,
    `--root-ca-file=${AUTHORITY.certificate}`,
    '--use-service-account-credentials',
    `--cluster-cidr=${POD_RANGE}`,
  ];
}

function callerFlags(name: 'controllers' | 'scheduler'): readonly string[] {
  const file = kubeconfigOf(name);
  return [`--kubeconfig=${file}`, `--authentication-kubeconfig=${file}`, `--authorization-kubeconfig=${file}`];
}
