import type { Progress } from '../../system/progress.ts';
import { runProcess } from '../../system/run-process.ts';

/** Folders that a sandboxed program can access, besides the read-only root of the machine. */
export interface SandboxFolders {
  /** Read-only. Visible even below /tmp. */
  readonly readable: readonly string[];
  readonly writable: readonly string[];
}

const warned = new Set<string>();
const probes = new Map<string, Promise<boolean>>();

/** Whether bubblewrap is installed and may make namespaces. Does not cache a negative result. */
export async function hasBubblewrap(): Promise<boolean> {
  const path = process.env['PATH'] ?? '';
  const known = probes.get(path) ?? probeBubblewrap();
  probes.set(path, known);
  const works = await known;
  if (!works) probes.delete(path);
  return works;
}

/** Says once per process, however many models are proved, that they run without a sandbox, and how to have one. */
export function warnWithoutSandbox(progress: Progress): void {
  const path = process.env['PATH'] ?? '';
  if (warned.has(path)) return;
  warned.add(path);
  progress.say(
    'Proving without a sandbox, so a model can read and change what you can: install bubblewrap (bwrap) and allow it to create user namespaces',
  );
}

/**
 * Wraps a command in a sandbox: no network, read-only files, a separate PID namespace, and only `env` as environment.
 */
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
