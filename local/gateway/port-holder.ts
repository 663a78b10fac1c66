import { readdir, readFile, readlink } from 'node:fs/promises';

const LISTEN = '0A';

/** Describes the process that listens on a TCP port: `process 4711 (nginx)`. Undefined: not visible to this user. */
export async function describePortHolder(port: number): Promise<string | undefined> {
  const inodes = await listListeningInodes(port);
  if (inodes.size === 0) return undefined;
  for (const pid of await readdir('/proc').catch(() => [])) {
    if (/^\d+$/.test(pid) && (await holdsAny(pid, inodes))) return `process ${pid} (${await readName(pid)})`;
  }
  return undefined;
}

/** Reads Linux's socket tables, whose columns are `sl local_address rem_address st … inode`. */
async function listListeningInodes(port: number): Promise<ReadonlySet<string>> {
  const tables = await Promise.all(['/proc/net/tcp', '/proc/net/tcp6'].map((f) => readFile(f, 'utf8').catch(() => '')));
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const rows = tables.flatMap((table) => table.split('\n').slice(1)).map((line) => line.trim().split(/\s+/));
  const listening = rows.filter(([, local, , state]) => local?.endsWith(wanted) === true && state === LISTEN);
  return new Set(listening.map((row) => `socket:[${row[9] ?? ''}]`));
}

async function holdsAny(pid: string, inodes: ReadonlySet<string>): Promise<boolean> {
  const folder = `/proc/${pid}/fd`;
  const descriptors = await readdir(folder).catch(() => []);
  const links = await Promise.all(descriptors.map((fd) => readlink(`${folder}/${fd}`).catch(() => '')));
  return links.some((link) => inodes.has(link));
}

async function readName(pid: string): Promise<string> {
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '');
  return describeSupervisor(command.split('\0')) ?? (name.trim() || 'unknown');
}

/** Names the environment of another supervisor, because its process name is only "node". */
function describeSupervisor(command: readonly string[]): string | undefined {
  if (!command.some((part) => /\/local\/supervisor\/supervisor\.[jt]s$/.test(part))) return undefined;
  const after = (option: string) => command[command.indexOf(option) + 1] ?? '';
  return `the gateway of the environment "${after('--environment')}" of ${after('--project')}`;
}
