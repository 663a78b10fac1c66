import { readdir, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { NODE_FOLDER } from '../../cluster/kubernetes-node/node-layout.ts';
import { runProcess } from '../../system/run-process.ts';

/** Everything that a node could leave on this machine, for a comparison before and after. */
export async function readTraces() {
  const [links, routes, rules, mounts] = await Promise.all([
    lines('ip', '-oneline', 'link', 'show'),
    lines('ip', 'route', 'show', 'table', 'all'),
    lines('iptables-save'),
    readFile('/proc/self/mountinfo', 'utf8'),
  ]);
  return {
    links: links.map((line) => line.split(': ')[1]),
    routes,
    rules: rules.filter((line) => !line.startsWith('#')),
    mounts: mounts.split('\n').length,
    networks: (await lines('ip', 'netns', 'list')).length,
    controlGroups: await listControlGroups(),
    processes: await listProcesses(),
    files: await listFiles(),
  };
}

async function lines(program: string, ...args: readonly string[]): Promise<readonly string[]> {
  const ran = await runProcess(program, args).catch(() => undefined);
  return (ran?.stdout ?? '').split('\n').filter(Boolean);
}

/** Folders where Kubernetes, containerd and network plugins write by default. */
async function listFiles(): Promise<readonly string[]> {
  const places = ['/etc', '/opt', '/run', '/usr/libexec', '/var/lib', '/var/log', join(homedir(), '.kube')];
  return (await lines('find', ...places, '-xdev', '-maxdepth', '2')).toSorted();
}

async function listControlGroups(): Promise<readonly string[]> {
  const found = await runProcess('find', ['/sys/fs/cgroup', '-name', 'davit*']);
  return found.stdout.split('\n').filter(Boolean);
}

/** Processes that were started with a path of the node. */
async function listProcesses(): Promise<readonly string[]> {
  return (await listCommands()).map(({ command }) => command).filter((command) => command.includes(NODE_FOLDER));
}

/** The processes of one of the node's programs, by their ids on the machine. */
export async function findNodeProcesses(program: string): Promise<readonly number[]> {
  const ours = (await listCommands()).filter(({ command }) => command.includes(NODE_FOLDER));
  return ours.filter(({ command }) => command.split(' ')[0]?.endsWith(`/${program}`)).map(({ pid }) => pid);
}

async function listCommands() {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  return Promise.all(
    pids.map(async (pid) => {
      const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      return { pid: Number(pid), command: command.replaceAll('\0', ' ') };
    }),
  );
}
