import { lstat, mkdir, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder } from '../system/cache.ts';
import { chooseUserId, IMAGE_USER_ID } from './choose-user-id.ts';
import { makeRelay, type Relay, type SandboxNetwork } from './network/relay.ts';
import { makeSeccompFilter } from './seccomp-filter.ts';

/** A file or folder that a sandboxed program can read, at its own path or at another one. */
export type Readable = string | { readonly from: string; readonly at: string };

/** How bubblewrap makes a user without rights: as root it changes to another user, else it makes a user namespace. */
export type SandboxUser = 'other' | 'namespace';

export interface SandboxedCommand {
  readonly command: readonly string[];
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly readable: readonly Readable[];
  /** Absolute paths inside of those that are empty for the program. */
  readonly hidden?: readonly string[];
  /** The services that it may reach. Undefined: none. */
  readonly network?: SandboxNetwork | undefined;
  /** Limits for each process, enforced by the kernel. */
  readonly processMemoryBytes: number | undefined;
  readonly processes: number;
  readonly scratchBytes: number;
}

export interface Wrapped {
  readonly command: readonly string[];
  /** What the command reads from the descriptors 3, 4, …: arguments that nobody else may see, and files. */
  readonly inputs: readonly Buffer[];
}

const ROOT_LINKS = ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'];
/** Neither secrets nor anything about the machine's users: libraries, time zones, types of files, certificates. */
const SYSTEM_FILES = [
  ...['/etc/ssl/certs', '/etc/ssl/openssl.cnf', '/etc/pki/tls/certs', '/etc/pki/ca-trust/extracted'],
  ...['/etc/ld.so.cache', '/etc/alternatives', '/etc/localtime', '/etc/mime.types', '/etc/fonts'],
  ...['/sys/devices/system/cpu', '/sys/devices/system/node'],
];
const HOST_NAME = 'sandbox';
/** The program's environment, as commands of a shell. */
const ENVIRONMENT = '/etc/davit/environment';
/** Without folders of the program's, whose `setpriv` would run before the rights are dropped. */
const SYSTEM_PATH = '/usr/sbin:/usr/bin:/sbin:/bin';
/** A program without rights reads its environment, because with them LD_PRELOAD and others would change what runs. */
const ENTER = ['/bin/sh', '-c', `. ${ENVIRONMENT}; exec "$@"`, 'sh'];

function makeFiles(
  id: string,
  env: SandboxedCommand['env'],
  relay: Relay | undefined,
): Readonly<Record<string, string>> {
  return {
    ...relay?.files,
    [ENVIRONMENT]: Object.entries(env).map(renderVariable).join(''),
    '/etc/passwd': `root:x:0:0:root:/:/bin/false\ndavit:x:${id}:${id}:davit:/tmp:/bin/false\n`,
    '/etc/group': `root:x:0:\ndavit:x:${id}:\n`,
    '/etc/hosts': `127.0.0.1 localhost ${HOST_NAME}\n::1 localhost\n${relay?.files['/etc/hosts'] ?? ''}`,
    '/etc/nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files\n',
  };
}

function renderVariable([name, value]: readonly [string, string]): string {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
    throw new TypeError(`Cannot sandbox a program: ${JSON.stringify(name)} is not the name of an environment variable`);
  return `export ${name}='${value.replaceAll("'", `'\\''`)}'\n`;
}
const MAX_OPEN_FILES = 4096;
/** Descriptor of the first input. */
const FIRST_INPUT = 3;

/**
 * Wraps a command: no network, or only the services of `network`; no capabilities, no new privileges, a user without
 * rights, its own processes, a filter of system calls. It sees the system's programs and libraries (/usr), `readable`, and
 * nothing else of this machine; it can write to /tmp and /dev/shm, in memory, up to `scratchBytes` each.
 */
export async function wrapInBubblewrap(wanted: SandboxedCommand, user: SandboxUser, sized: boolean): Promise<Wrapped> {
  const filter = makeSeccompFilter();
  const id = String(user === 'other' ? chooseUserId() : IMAGE_USER_ID);
  const { before, drop } = USERS[user](id);
  const relay = wanted.network && (await makeRelay(wanted.network, drop));
  const files = makeFiles(id, wanted.env, relay);
  const contents = [...Object.values(files).map((text) => Buffer.from(text)), ...(filter ? [filter] : [])];
  const given = wanted.readable.map((r) => (typeof r === 'string' ? { from: r, at: r } : r));
  const readable = [...given, ...(relay?.readable ?? [])];
  const hidden = wanted.hidden ?? [];
  const stray = hidden.find((path) => !readable.some(({ at }) => path.startsWith(`${at}/`)));
  if (stray !== undefined) throw new TypeError(`Cannot hide ${stray} from a program: it is in nothing that it reads`);
  const descriptor = (i: number) => String(FIRST_INPUT + 1 + i); // the first input is the arguments themselves
  const args = [
    ...NAMESPACES,
    ...before,
    ...(relay?.capabilities ?? []).flatMap((name) => ['--cap-add', `CAP_${name}`]),
    ...listFoldersAbove([...SYSTEM_FILES, ...Object.keys(files)]).flatMap(makeFolder),
    ...(await listSystemFiles()),
    ...Object.keys(files).flatMap((file, i) => ['--perms', '0644', '--ro-bind-data', descriptor(i), file]),
    ...(filter ? ['--seccomp', descriptor(contents.length - 1)] : []),
    ...['--proc', '/proc'],
    ...(relay && user === 'namespace' ? await makeDevices() : ['--dev', '/dev']),
    ...['/tmp', '/dev/shm'].flatMap((folder) => makeScratch(folder, wanted.scratchBytes, sized)),
    ...listFoldersAbove(readable.map((r) => r.at)).flatMap(makeFolder),
    ...readable.flatMap(({ from, at }) => ['--ro-bind', from, at]),
    ...(await coverHidden(readable, hidden)),
    ...['--remount-ro', '/dev', '--remount-ro', '/', '--chdir', '/tmp', '--clearenv', '--setenv', 'PATH', SYSTEM_PATH],
  ];
  const dropped = relay || user === 'other' ? drop : [];
  const inner = [...(relay?.command ?? []), ...dropped, ...limitEachProcess(wanted), ...ENTER, ...wanted.command];
  if ([...args, ...Object.values(wanted.env)].some((a) => a.includes('\0')))
    throw new TypeError('Cannot sandbox a program: an argument contains NUL');
  return {
    command: ['bwrap', '--args', String(FIRST_INPUT), '--', ...inner],
    inputs: [Buffer.from(args.map((a) => `${a}\0`).join('')), ...contents],
  };
}

const NAMESPACES = [
  ...['--unshare-ipc', '--unshare-pid', '--unshare-net', '--unshare-uts', '--unshare-cgroup-try'],
  ...['--die-with-parent', '--new-session', '--hostname', HOST_NAME],
];

/** `drop` is the program that takes away the capabilities which `before`, or a relay, has left. */
interface UserArguments {
  readonly before: readonly string[];
  readonly drop: readonly string[];
}

/** Root's own user namespace would leave the files of root to the program, device files among them. */
const USERS: Readonly<Record<SandboxUser, (id: string) => UserArguments>> = {
  namespace: (id) => ({
    before: ['--unshare-user', '--uid', id, '--gid', id],
    drop: ['setpriv', '--inh-caps=-all', '--ambient-caps=-all'],
  }),
  other: (id) => ({
    before: ['ALL', 'SETUID', 'SETGID', 'SETPCAP'].flatMap((name, i) =>
      i === 0 ? ['--cap-drop', name] : ['--cap-add', `CAP_${name}`],
    ),
    drop: [
      ...['setpriv', '--reuid', id, '--regid', id, '--clear-groups', '--no-new-privs'],
      ...['--inh-caps=-all', '--ambient-caps=-all', '--bounding-set=-all'],
    ],
  }),
};

function limitEachProcess({ processMemoryBytes, processes }: SandboxedCommand): readonly string[] {
  const memory = processMemoryBytes === undefined ? [] : [`--data=${processMemoryBytes}`];
  return ['prlimit', '--core=0', `--nproc=${processes}`, `--nofile=${MAX_OPEN_FILES}`, '--msgqueue=0', ...memory, '--'];
}

function makeFolder(path: string): readonly string[] {
  return ['--perms', '0755', '--dir', path];
}

/** `/a/b/c` → `/a`, `/a/b`. bubblewrap would make them for itself only. Those of the system exist already. */
function listFoldersAbove(paths: readonly string[]): readonly string[] {
  const above = paths.flatMap((path) => {
    const parts = path.split('/').slice(1, -1);
    return parts.map((_, i) => `/${parts.slice(0, i + 1).join('/')}`);
  });
  return [...new Set(above)].filter((folder) => !isProvided(folder));
}

function isProvided(folder: string): boolean {
  return ['/usr', '/tmp', '/dev/shm', ...ROOT_LINKS].some(
    (p) => folder === p || (p === '/usr' && folder.startsWith('/usr/')),
  );
}

interface BoundFolder {
  readonly from: string;
  readonly at: string;
}

/**
 * Covers each hidden file or folder with an empty one. That takes as many arguments as there are hidden entries; binding
 * all others would take more than bubblewrap accepts (9,000) in a large folder.
 */
async function coverHidden(readable: readonly BoundFolder[], hidden: readonly string[]): Promise<readonly string[]> {
  if (hidden.length === 0) return [];
  const empty = { folder: cacheFolder('empty', 'folder'), file: cacheFolder('empty', 'file') };
  await mkdir(empty.folder, { recursive: true });
  await writeFile(empty.file, '');
  const outermost = hidden.filter((path) => !hidden.some((other) => path.startsWith(`${other}/`)));
  const covered = outermost.map(async (path): Promise<readonly string[]> => {
    const bound = readable.findLast(({ at }) => path.startsWith(`${at}/`));
    const found = bound && (await lstat(join(bound.from, path.slice(bound.at.length))).catch(() => undefined));
    if (!found) return [];
    if (found.isSymbolicLink()) throw new TypeError(`Cannot hide ${path} from a program: it is a link`);
    return ['--ro-bind', found.isDirectory() ? empty.folder : empty.file, path];
  });
  return (await Promise.all(covered)).flat();
}

const DEVICES = ['null', 'zero', 'full', 'random', 'urandom', 'tty'];
const DEVICE_LINKS = { fd: '', stdin: '/0', stdout: '/1', stderr: '/2' };

/**
 * A `/dev` without terminals. For those of `--dev`, bubblewrap makes a second user namespace, in which no capability counts
 * for the network.
 */
async function makeDevices(): Promise<readonly string[]> {
  const found = await Promise.all(DEVICES.map((name) => lstat(`/dev/${name}`).catch(() => undefined)));
  return [
    ...['--perms', '0755', '--tmpfs', '/dev'],
    ...DEVICES.filter((_, i) => found[i]).flatMap((name) => ['--dev-bind', `/dev/${name}`, `/dev/${name}`]),
    ...Object.entries(DEVICE_LINKS).flatMap(([name, at]) => ['--symlink', `/proc/self/fd${at}`, `/dev/${name}`]),
    ...makeFolder('/dev/shm'),
  ];
}

function makeScratch(folder: string, bytes: number, sized: boolean): readonly string[] {
  return ['--perms', '1777', ...(sized ? ['--size', String(bytes)] : []), '--tmpfs', folder];
}

async function listSystemFiles(): Promise<readonly string[]> {
  const links = await Promise.all(ROOT_LINKS.map(copyLink));
  return ['--ro-bind', '/usr', '/usr', ...links.flat(), ...SYSTEM_FILES.flatMap((f) => ['--ro-bind-try', f, f])];
}

/** `/lib` is a link to `usr/lib` on most systems, and a folder on others. */
async function copyLink(path: string): Promise<readonly string[]> {
  const found = await lstat(path).catch(() => undefined);
  if (!found) return [];
  return found.isSymbolicLink() ? ['--symlink', await readlink(path), path] : ['--ro-bind', path, path];
}
