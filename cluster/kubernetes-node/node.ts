import { join } from 'node:path';
import { writeFileAtomically } from '../../system/atomic-files.ts';
import { AUTHORITY, getCertificate, getKubeconfigPath } from './certificates.ts';
import { API_READY_ADDRESS } from './control-plane.ts';
import { CNI_FOLDER } from './debian.ts';
import { CNI_CONFIGURATION_FOLDER } from './network.ts';
import type { Component } from './node-process.ts';
import {
  CONTAINERD_SOCKET,
  CONTROL_GROUP,
  DNS_ADDRESS,
  MACHINE_ADDRESS,
  NODE_ADDRESS,
  NODE_FOLDER,
  NODE_NAME,
  POD_RANGE,
} from './node-layout.ts';

const CONTAINERD_FILE = join(NODE_FOLDER, 'containerd.toml');
const KUBELET_FILE = join(NODE_FOLDER, 'kubelet.json');
const RESOLV_FILE = join(NODE_FOLDER, 'resolv.conf');

/** containerd, the kubelet, kube-proxy and the enforcement of network policies, with their files. `pause`: the image that holds a pod's namespaces. */
export async function makeNodeComponents({
  kubernetes,
  policies,
  containerd,
  pause,
}: {
  readonly kubernetes: string;
  /** The folder of the program that enforces network policies. */
  readonly policies: string;
  readonly containerd: string;
  readonly pause: string;
}): Promise<readonly Component[]> {
  await writeFileAtomically(CONTAINERD_FILE, renderContainerd(pause));
  await writeFileAtomically(KUBELET_FILE, JSON.stringify(makeKubeletConfiguration()));
  await writeFileAtomically(RESOLV_FILE, `nameserver ${MACHINE_ADDRESS}\n`); // pods of the node itself need no DNS
  const kubelet = [
    join(kubernetes, 'kubelet'),
    `--config=${KUBELET_FILE}`,
    `--kubeconfig=${getKubeconfigPath('kubelet')}`,
    `--hostname-override=${NODE_NAME}`,
    `--node-ip=${NODE_ADDRESS}`,
    `--root-dir=${join(NODE_FOLDER, 'kubelet')}`,
    `--cert-dir=${join(NODE_FOLDER, 'certificates')}`,
  ];
  const proxy = [
    join(kubernetes, 'kube-proxy'),
    `--kubeconfig=${getKubeconfigPath('proxy')}`,
    '--proxy-mode=iptables',
    `--cluster-cidr=${POD_RANGE}`,
    `--hostname-override=${NODE_NAME}`,
    // The connection tracking table belongs to the machine, so leave it unchanged.
    '--conntrack-max-per-core=0',
    '--conntrack-tcp-timeout-established=0s',
    '--conntrack-tcp-timeout-close-wait=0s',
  ];
  return [
    { name: 'containerd', command: [containerd, '--config', CONTAINERD_FILE] },
    { name: 'kubelet', command: kubelet, after: `unix:${CONTAINERD_SOCKET}` },
    { name: 'proxy', command: proxy, after: API_READY_ADDRESS },
    { name: 'policies', command: makePoliciesCommand(policies), after: API_READY_ADDRESS },
  ];
}

/** Its identity may read everything, and it writes nothing. */
function makePoliciesCommand(folder: string): readonly string[] {
  return [
    join(folder, 'policies'),
    `--kubeconfig=${getKubeconfigPath('controllers')}`,
    `--hostname-override=${NODE_NAME}`,
  ];
}

function renderContainerd(pause: string): string {
  return `version = 2
root = "${join(NODE_FOLDER, 'containerd')}"
state = "${join(NODE_FOLDER, 'run')}"
[grpc]
  address = "${CONTAINERD_SOCKET}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pause}"
  # Where a negative oom_score_adj is forbidden, no pod would start: "can't get final child's PID from pipe: EOF".
  restrict_oom_score_adj = true
  # A process that is not root may listen below 1024, inside its pod.
  enable_unprivileged_ports = true
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${CNI_FOLDER}"
    conf_dir = "${CNI_CONFIGURATION_FOLDER}"
`;
}

function makeKubeletConfiguration() {
  const { certificate, key } = getCertificate('kubelet');
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: AUTHORITY.certificate },
    },
    authorization: { mode: 'Webhook' },
    // One control group holds everything, so that it can be removed. This works with cgroup v1 and v2.
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${CONTROL_GROUP}`,
    failCgroupV1: false,
    failSwapOn: false,
    clusterDomain: 'cluster.local',
    clusterDNS: [DNS_ADDRESS],
    containerRuntimeEndpoint: `unix://${CONTAINERD_SOCKET}`,
    tlsCertFile: certificate,
    tlsPrivateKeyFile: key,
    resolvConf: RESOLV_FILE,
    // The node shares the machine's disk. It never removes images, and evicts pods only when almost nothing is left.
    evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '1%', 'imagefs.available': '1%' },
    imageGCHighThresholdPercent: 100,
    podLogsDir: join(NODE_FOLDER, 'pod-logs'),
    maxPods: 500,
    registryPullQPS: 0, // no limit: the registry is on this machine
  };
}
