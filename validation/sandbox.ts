import { runProcess } from '../system/run-process.ts';

/** What a sandboxed program may see and change beside the machine's own programs. */
export interface SandboxFolders {
  /** Seen even when they are below /tmp, never changed. */
  readonly readable: readonly string[];
  readonly writable: readonly string[];
}

const probes = new Map<string, Promise<boolean>>();

/** Whether bubblewrap works here: installed, and allowed to make namespaces. Where it does not, it is tried again. */
export async function hasBubblewrap(): Promise<boolean> {
  const path = process.env['PATH'] ?? '';
  const known = probes.get(path) ?? probeBubblewrap();
  probes.set(path, known);
  const works = await known;
  if (!works) probes.delete(path);
  return works;
}

/** A command line in a sandbox: no network, nothing of this machine writable, own process ids, no environment but `env`. */
export function wrapInSandbox(
  command: readonly string[],
  env: Readonly<Record<string, string>>,
  { readable, writable }: SandboxFolders,
): readonly string[] {
  return [
    'bwrap',
    ...ISOLATION,
    ...readable.flatMap((f) => ['--ro-bind', f, f]),
    ...writable.flatMap((f) => ['--bind', f, f]),
    '--clearenv',
    ...Object.entries(env).flatMap(([name, value]) => ['--setenv', name, value]),
    '--chdir',
    '/tmp',
    ...command,
  ];
}

const ISOLATION = [
  ...['--unshare-all', '--die-with-parent', '--new-session', '--ro-bind', '/', '/'],
  ...['--dev', '/dev', '--proc', '/proc', '--tmpfs', '/tmp', '--tmpfs', '/dev/shm'],
];

async function probeBubblewrap(): Promise<boolean> {
  const run = await runProcess('bwrap', [...ISOLATION, 'true'], { limitSeconds: 10 }).catch(() => undefined);
  return run?.code === 0;
}
