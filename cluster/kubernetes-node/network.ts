import { join } from 'node:path';
import { writeFileAtomically } from '../../system/atomic-files.ts';
import { runProcess } from '../../system/run-process.ts';
import type { NodeProcess } from './node-process.ts';
import {
  VETH_NAME,
  VETH_RANGE,
  MACHINE_ADDRESS,
  NODE_ADDRESS,
  NODE_FOLDER,
  NODE_POD_RANGE,
  POD_RANGE,
  SERVICE_RANGE,
} from './node-layout.ts';
import { runChecked } from '../run-checked.ts';

export const CNI_CONFIGURATION_FOLDER = join(NODE_FOLDER, 'cni');
const PREFIX = VETH_RANGE.split('/')[1] ?? '';
const RANGES = [VETH_RANGE, POD_RANGE, SERVICE_RANGE];
const ACTION = "set up the node's network";

/** Throws when this machine already uses the node's addresses. */
export async function requireFreeRanges(): Promise<void> {
  for (const range of RANGES) {
    const routes = await runChecked('read the routes', ['ip', 'route', 'show', 'root', range]);
    const [route] = routes.split('\n').filter((line) => line.trim() !== '' && !line.includes(` dev ${VETH_NAME}`));
    if (route === undefined) continue;
    throw new Error(`Cannot make a node: ${range} is used by the route "${route.trim()}", expected it to be free`);
  }
}

/**
 * Connects the machine and the node's own network with a veth pair, and routes pods and services through it. The
 * machine gets one interface and its routes. Forwarding, address translation and firewall rules are all inside the
 * node.
 */
export async function connectNode({ pid }: NodeProcess): Promise<void> {
  const inside = ['nsenter', '--net', '--target', String(pid)];
  await runChecked(ACTION, [
    'ip',
    'link',
    'add',
    VETH_NAME,
    'type',
    'veth',
    'peer',
    'name',
    'eth0',
    'netns',
    String(pid),
  ]);
  await runChecked(ACTION, ['ip', 'address', 'add', `${MACHINE_ADDRESS}/${PREFIX}`, 'dev', VETH_NAME]);
  await runChecked(ACTION, ['ip', 'link', 'set', VETH_NAME, 'up']);
  await runChecked(ACTION, [...inside, 'ip', 'link', 'set', 'lo', 'up']);
  await runChecked(ACTION, [...inside, 'ip', 'address', 'add', `${NODE_ADDRESS}/${PREFIX}`, 'dev', 'eth0']);
  await runChecked(ACTION, [...inside, 'ip', 'link', 'set', 'eth0', 'up']);
  await runChecked(ACTION, [...inside, 'ip', 'route', 'add', 'default', 'via', MACHINE_ADDRESS]);
  await runChecked(ACTION, [...inside, 'tee', '/proc/sys/net/ipv4/ip_forward'], { input: '1' });
  for (const range of [POD_RANGE, SERVICE_RANGE]) {
    await runChecked(ACTION, ['ip', 'route', 'add', range, 'via', NODE_ADDRESS, 'dev', VETH_NAME]);
  }
}

const QUEUE = 'DAVIT-POLICIES';
/** The number that kube-network-policies reads by default. */
const QUEUE_NUMBER = '100';

/**
 * Sends the first packet of each connection of a pod through the program that enforces network policies. That program
 * makes such rules itself with nftables, whose queue statement some kernels lack. Here it is only the target of iptables.
 * Processes of the node itself pass, as the kubelet's probes must. Without the program everything passes.
 */
export async function queueForPolicies({ pid }: NodeProcess): Promise<void> {
  const queue = ['NFQUEUE', '--queue-num', QUEUE_NUMBER, '--queue-bypass'];
  const rules = [
    ['-N', QUEUE],
    ['-A', QUEUE, '-m', 'conntrack', '--ctstate', 'ESTABLISHED,RELATED', '-j', 'RETURN'],
    ['-A', QUEUE, '-m', 'owner', '--uid-owner', '0', '-j', 'RETURN'],
    ['-A', QUEUE, '-s', POD_RANGE, '-j', ...queue],
    ['-A', QUEUE, '-d', POD_RANGE, '-j', ...queue],
    ['-A', 'POSTROUTING', '-j', QUEUE],
  ];
  for (const rule of rules)
    await runChecked(ACTION, ['nsenter', '--net', '--target', String(pid), 'iptables', '-w', '-t', 'mangle', ...rule]);
}

/** Removes the veth pair and with it its routes. The kernel may have removed it already. */
export async function disconnectNode(): Promise<void> {
  await runProcess('ip', ['link', 'delete', VETH_NAME]);
}

/** Gives each pod a veth pair to the node. `ptp` is used because a bridge would need another kernel module. */
export async function writeCniConfiguration(): Promise<void> {
  const ranges = [[{ subnet: NODE_POD_RANGE }]];
  const dataDir = join(NODE_FOLDER, 'pod-addresses');
  const ipam = { type: 'host-local', dataDir, ranges, routes: [{ dst: '0.0.0.0/0' }] };
  const plugins = [
    { type: 'ptp', ipMasq: true, ipam },
    { type: 'portmap', capabilities: { portMappings: true } },
  ];
  const text = JSON.stringify({ cniVersion: '1.0.0', name: 'pods', plugins });
  await writeFileAtomically(join(CNI_CONFIGURATION_FOLDER, '10-pods.conflist'), text);
}
