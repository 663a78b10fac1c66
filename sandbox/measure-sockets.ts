import { readFile, readlink } from 'node:fs/promises';

const DEFAULT_BUFFER_BYTES = 212_992;
/** A machine that is tuned for fast networks allows much more, which an honest program's few sockets never use. */
const MAX_BUFFER_BYTES = 1 << 20;
/** Local address, remote address, state, then the bytes that wait to be sent and to be received, in hex. */
const QUEUES = /^ *\d+: \S+ \S+ \S+ ([0-9A-F]+):([0-9A-F]+)/gm;

/** The same of netlink, in decimal: address, protocol, process, groups, then received and sent bytes. */
const NETLINK_QUEUES = /^[0-9a-f]+ +\d+ +-?\d+ +[0-9a-f]+ +(\d+) +(\d+)/gm;

/**
 * Measures the memory of the sockets in the network of these processes, which belongs to none of them. The kernel
 * does not report what waits in a local socket, so each one counts with all that it may hold. 0: they share the network of
 * this process, whose sockets are mostly those of others.
 */
export async function measureSockets(members: readonly number[]): Promise<number> {
  const own = await readNetwork('self');
  for (const pid of members) {
    const network = await readNetwork(pid);
    if (network !== undefined && network !== own) return measureNetwork(pid);
  }
  return 0;
}

async function measureNetwork(pid: number): Promise<number> {
  const [limit, local, netlink, ...others] = await Promise.all([
    read('/proc/sys/net/core/wmem_max'),
    read(`/proc/${pid}/net/unix`),
    read(`/proc/${pid}/net/netlink`),
    ...['tcp', 'tcp6', 'udp', 'udp6', 'udplite', 'udplite6'].map((name) => read(`/proc/${pid}/net/${name}`)),
  ]);
  const sockets = Math.max(0, local.trimEnd().split('\n').length - 1);
  const waiting =
    others.reduce((sum, table) => sum + sumQueues(table, QUEUES, 16), 0) + sumQueues(netlink, NETLINK_QUEUES, 10);
  // The kernel doubles what a program asks for, to have room for its own records.
  return sockets * 2 * Math.min(Number(limit) || DEFAULT_BUFFER_BYTES, MAX_BUFFER_BYTES) + waiting;
}

function sumQueues(table: string, queues: RegExp, base: number): number {
  return [...table.matchAll(queues)].reduce(
    (sum, [, one = '', other = '']) => sum + parseInt(one, base) + parseInt(other, base),
    0,
  );
}

function readNetwork(pid: number | 'self'): Promise<string | undefined> {
  return readlink(`/proc/${pid}/ns/net`).catch(() => undefined);
}

function read(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(() => '');
}
