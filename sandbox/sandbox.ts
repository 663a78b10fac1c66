import { tmpdir } from 'node:os';
import { isVersionAtLeast } from '../schemas/values/versions.ts';
import { runProcess } from '../system/run-process.ts';
import { type SandboxUser, wrapInBubblewrap } from './bubblewrap.ts';
import { runLimited } from './run-limited.ts';
import { makeSeccompFilter } from './seccomp-filter.ts';
import { readErrorMessage } from '../schemas/values/read-error-message.ts';

/** How this machine can separate an untrusted program from everything else. */
export interface Sandbox {
  readonly user: SandboxUser;
  /** Whether the memory for temporary files can be limited. */
  readonly sized: boolean;
  /** What this machine cannot give, as nouns for the report: `a limit for temporary files`. */
  readonly lacks: readonly string[];
}

/** Why this machine has no sandbox, and how to have one. */
export interface MissingSandbox {
  /** The end of a sentence: `bubblewrap (bwrap) is not installed`. */
  readonly why: string;
  readonly hint: string;
}

const MINIMUM_VERSION = '0.5.0';
/** The first version that limits the size of a folder in memory. */
const SIZED_VERSION = '0.7.0';
const PROBE_SECONDS = 10;
const PROBE_BYTES = 1 << 20;
const INSTALL_HINT = 'Install it, for example with apt-get install bubblewrap';
const WITHOUT_HINT =
  'To run models with your own rights instead: --without-sandbox (the action: without-sandbox: true)';

/** What a user who accepts the risk sets, instead of the option. */
const WITHOUT_VARIABLE = 'DAVIT_WITHOUT_SANDBOX';

/** Whether the user has said that untrusted programs may run with the user's own rights. Undefined: see the variable. */
export function isSandboxWaived(withoutSandbox: boolean | undefined): boolean {
  return withoutSandbox ?? process.env[WITHOUT_VARIABLE] === '1';
}

/**
 * The sandbox for untrusted programs; undefined: the user has said that they may run with the user's own rights. Never
 * chooses that by itself.
 */
export async function chooseSandbox(
  withoutSandbox: boolean | undefined,
): Promise<Sandbox | MissingSandbox | undefined> {
  return isSandboxWaived(withoutSandbox) ? undefined : findSandbox();
}

const probes = new Map<string, Promise<Sandbox | MissingSandbox>>();

/** Finds the sandbox of this machine. A negative result is not cached, because the action installs what is missing. */
export async function findSandbox(): Promise<Sandbox | MissingSandbox> {
  const path = process.env['PATH'] ?? '';
  const probe = probes.get(path) ?? probeSandbox();
  probes.set(path, probe);
  const found = await probe;
  if ('why' in found) probes.delete(path);
  return found;
}

async function probeSandbox(): Promise<Sandbox | MissingSandbox> {
  const version = await readVersion();
  if (version === undefined)
    return { why: 'bubblewrap (bwrap) is not installed', hint: `${INSTALL_HINT}. ${WITHOUT_HINT}` };
  if (!isVersionAtLeast(version, MINIMUM_VERSION))
    return {
      why: `bubblewrap is version ${version}, expected ${MINIMUM_VERSION} or newer`,
      hint: `Update it. ${WITHOUT_HINT}`,
    };
  const user = process.getuid?.() === 0 ? 'other' : 'namespace';
  const sized = isVersionAtLeast(version, SIZED_VERSION);
  const failure = await tryCommand(user, sized);
  if (failure !== undefined)
    return {
      why: `bubblewrap cannot make one here (${failure})`,
      hint: `Allow it to create user namespaces: in a container, give the container that right; on Ubuntu, set kernel.apparmor_restrict_unprivileged_userns=0. ${WITHOUT_HINT}`,
    };
  const lacks = [
    ...(sized ? [] : ['a limit for temporary files']),
    ...(makeSeccompFilter() ? [] : ['a filter of system calls']),
  ];
  return { user, sized, lacks };
}

async function readVersion(): Promise<string | undefined> {
  const run = await runProcess('bwrap', ['--version'], { limitSeconds: PROBE_SECONDS }).catch(() => undefined);
  return /^bubblewrap (\d+\.\d+\.\d+)/.exec(run?.stdout ?? '')?.[1];
}

/** Runs `true` in the sandbox. Returns why that failed. */
async function tryCommand(user: SandboxUser, sized: boolean): Promise<string | undefined> {
  const wanted = {
    ...{ command: ['true'], env: { PATH: '/usr/bin:/bin' }, readable: [] },
    ...{ processMemoryBytes: undefined, processes: 10, scratchBytes: PROBE_BYTES },
  };
  const { command, inputs } = await wrapInBubblewrap(wanted, user, sized);
  const run = await runLimited(command, {
    ...{ cwd: tmpdir(), env: { PATH: process.env['PATH'] ?? '' }, inputs },
    ...{ limitSeconds: PROBE_SECONDS, limitBytes: PROBE_BYTES, tree: { memoryBytes: 1 << 30, processes: 100 } },
  }).catch((e: unknown) => ({ code: -1, stderr: readErrorMessage(e) }));
  if (run.code === 0) return undefined;
  return run.stderr.trim().split('\n').at(-1)?.slice(0, 200) || `it ended with ${run.code}`;
}
