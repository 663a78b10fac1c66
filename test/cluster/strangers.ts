import { execFileSync, spawn } from 'node:child_process';
import { applyObjects, type KubectlConnection, kubectl } from '../../cluster/kubectl.ts';
import { findNodeProcesses } from './machine-traces.ts';

/** A request of a stranger, over plain HTTP. */
export interface StrangerRequest {
  readonly host: string;
  readonly port: number;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sends it again as long as it is answered: a busy node learns a new pod's address many seconds after its start. */
  readonly untilRefused?: true;
}

const LIMIT_MILLISECONDS = 4000;
/** How long a request is sent again, and how long a stranger's pod may take in all. */
const REPEAT_MILLISECONDS = 120_000;
const POD_SECONDS = 200;
/**
 * Prints each request's status; 0: no connection, or no answer in time. Each has a connection of its own, because policies
 * leave open connections alone.
 */
const SCRIPT = `
const { request } = require('node:http');
const send = (asked) => new Promise((done) => {
  const sent = request({ ...asked, agent: false, timeout: ${LIMIT_MILLISECONDS} }, (answer) => { answer.resume(); done(answer.statusCode); });
  sent.on('timeout', () => { sent.destroy(); done(0); }).on('error', () => done(0)).end(asked.method === 'POST' ? '{}' : '');
});
const repeat = async ({ untilRefused, ...asked }) => {
  for (const end = Date.now() + ${REPEAT_MILLISECONDS}; ; ) {
    const status = await send(asked);
    if (status === 0 || !untilRefused || Date.now() > end) return status;
    await new Promise((done) => setTimeout(done, 500));
  }
};
Promise.all(JSON.parse(process.env.REQUESTS).map(repeat)).then((all) => console.log(JSON.stringify(all)));
`;

/** Sends requests from a pod of its own in a namespace, and gives back their statuses. The image has Node. */
export async function sendFromPod(
  to: KubectlConnection,
  { namespace, name, image }: { readonly namespace: string; readonly name: string; readonly image: string },
  requests: readonly StrangerRequest[],
): Promise<readonly number[]> {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace },
    spec: {
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, runAsUser: 65_532, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name: 'stranger',
          image,
          command: ['node', '-e', SCRIPT],
          env: [{ name: 'REQUESTS', value: JSON.stringify(requests) }],
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        },
      ],
    },
  };
  await applyObjects(to, [pod], { limitSeconds: 60 });
  try {
    await kubectl(to, [
      'wait',
      '-n',
      namespace,
      `pod/${name}`,
      '--for=jsonpath={.status.phase}=Succeeded',
      `--timeout=${POD_SECONDS}s`,
    ]);
    return JSON.parse(await kubectl(to, ['logs', '-n', namespace, name])) as readonly number[];
  } finally {
    await kubectl(to, ['delete', 'pod', name, '-n', namespace, '--now', '--wait=false']);
  }
}

/** Serves HTTP at an address behind the node, as a cloud serves metadata, until the returned function is called. */
export async function serveBehindNode(address: string): Promise<() => void> {
  const [kubelet] = await findNodeProcesses('kubelet');
  if (kubelet === undefined) throw new Error('Cannot serve behind the node: no kubelet runs here');
  const inNode = ['nsenter', '--target', String(kubelet), '--net'];
  const holder = spawn(inNode[0]!, [...inNode.slice(1), 'unshare', '--net', 'sleep', '600'], { stdio: 'ignore' });
  const pid = String(holder.pid);
  await new Promise((done) => setTimeout(done, 500));
  const inside = ['nsenter', '--target', pid, '--net'];
  const run = (command: readonly string[]) => execFileSync(command[0]!, command.slice(1));
  const [node, far] = ['10.250.0.1', '10.250.0.2'];
  for (const command of [
    [...inNode, 'ip', 'link', 'add', 'davit-far', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', pid],
    [...inNode, 'ip', 'address', 'add', `${node}/30`, 'dev', 'davit-far'],
    [...inNode, 'ip', 'link', 'set', 'davit-far', 'up'],
    [...inside, 'ip', 'link', 'set', 'lo', 'up'],
    [...inside, 'ip', 'address', 'add', `${far}/30`, 'dev', 'eth0'],
    [...inside, 'ip', 'address', 'add', `${address}/32`, 'dev', 'lo'],
    [...inside, 'ip', 'link', 'set', 'eth0', 'up'],
    [...inside, 'ip', 'route', 'add', 'default', 'via', node],
    [...inNode, 'ip', 'route', 'add', `${address}/32`, 'via', far],
  ])
    run(command);
  const script = 'require("node:http").createServer((_, r) => r.end("metadata")).listen(80)';
  const server = spawn(inside[0]!, [...inside.slice(1), process.execPath, '-e', script], { stdio: 'ignore' });
  await new Promise((done) => setTimeout(done, 500));
  return () => {
    server.kill('SIGKILL');
    holder.kill('SIGKILL'); // the kernel removes the veth pair and its route with it
  };
}
