import { chmod, mkdir, rm } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { makeTemporaryFolder } from '../system/temporary-folder.ts';
import { type Readable, wrapInBubblewrap } from './bubblewrap.ts';
import { copyIfPrivate } from './copy-if-private.ts';
import type { Dial } from './network/dial-service.ts';
import type { NetworkUse } from '../schemas/lock/proof.ts';
import { type Forwarder, openForwarder } from './network/open-forwarder.ts';
import type { SandboxNetwork } from './network/relay.ts';
import { type LimitedRun, type LimitedRunOptions, runLimited } from './run-limited.ts';
import type { Sandbox } from './sandbox.ts';

/** A program that runs code of a model, or of a package that a model requires. */
export interface UntrustedProgram {
  readonly command: readonly string[];
  /** Added to the few variables that every such program has. It never gets a variable of this process. */
  readonly env: Readonly<Record<string, string>>;
  /** Folders that come first in PATH. */
  readonly path: readonly string[];
  /** The files and folders that it can read, besides the system's programs and libraries. */
  readonly readable: readonly Readable[];
  /** Small folders and the model, whose files perhaps only the user can read. */
  readonly data?: readonly string[];
  /** Absolute paths inside of `data` that it must not see. Without a sandbox it sees them. */
  readonly hidden?: readonly string[];
  /** The services that it may reach in a sandbox. Without a sandbox, nothing limits its network. */
  readonly network?: UntrustedNetwork | undefined;
  readonly limits: UntrustedLimits;
  readonly signal?: AbortSignal | undefined;
  /** Receives each line of its standard output when it arrives. */
  readonly onLine?: (line: string) => void;
}

export interface UntrustedNetwork extends Pick<SandboxNetwork, 'services' | 'python'> {
  /** How this machine connects to a service. Default: by name, never to itself. */
  readonly dial?: Dial | undefined;
}

export interface UntrustedRun extends LimitedRun {
  /** How the program used each service. Empty without a sandbox, which alone knows it. */
  readonly network: readonly NetworkUse[];
}

export interface UntrustedLimits {
  readonly seconds: number;
  readonly outputBytes: number;
  /** Data memory of each process; undefined: only the limit of all together. */
  readonly processMemoryBytes: number | undefined;
  /** Memory of all its processes together; default: three quarters of this machine's. */
  readonly memoryBytes: number | undefined;
}

const SYSTEM_PATH = '/usr/local/bin:/usr/bin:/bin';
/** Threads count too: a numeric library starts one for each processor in each process. */
const MAX_PROCESSES = 2048;
const MAX_SCRATCH_BYTES = 2 * 2 ** 30;
const SHARE_OF_MACHINE = 0.75;

/**
 * The only way to run code that came with a model: in a sandbox. `undefined` as the sandbox means that the user has
 * asked to run it with the user's own rights; then only the limits remain.
 */
export async function runUntrusted(program: UntrustedProgram, sandbox: Sandbox | undefined): Promise<UntrustedRun> {
  const temporary = makeTemporaryFolder('untrusted');
  try {
    const scratch = sandbox ? '/tmp' : temporary;
    const env = {
      ...program.env,
      ...{ PATH: [...program.path, SYSTEM_PATH].join(':'), HOME: scratch, TMPDIR: scratch },
      ...{ LANG: 'C.UTF-8', USER: 'davit' },
    };
    const { limits, signal, onLine } = program;
    const memoryBytes = Math.min(limits.memoryBytes ?? Infinity, Math.round(totalmem() * SHARE_OF_MACHINE));
    const options = {
      ...{ cwd: temporary, limitSeconds: limits.seconds, limitBytes: limits.outputBytes, signal, onLine },
      tree: { memoryBytes, processes: MAX_PROCESSES },
    };
    if (!sandbox) return { ...(await runLimited(program.command, { ...options, env })), network: [] };
    return await runSandboxed(program, sandbox, { temporary, env, memoryBytes, options });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

interface SandboxedRun {
  readonly temporary: string;
  readonly env: Readonly<Record<string, string>>;
  readonly memoryBytes: number;
  readonly options: Omit<LimitedRunOptions, 'env'>;
}

async function runSandboxed(
  { command: inner, readable, data = [], hidden = [], network, limits }: UntrustedProgram,
  sandbox: Sandbox,
  { temporary, env, memoryBytes, options }: SandboxedRun,
): Promise<UntrustedRun> {
  const isOther = sandbox.user === 'other';
  const copies = data.map(async (folder, i) => ({
    from: isOther ? await copyIfPrivate(folder, join(temporary, String(i))) : folder,
    at: folder,
  }));
  const copied = await Promise.all(copies);
  const services = await openServices(network);
  try {
    const wanted = {
      ...{ command: inner, env },
      readable: [...readable, ...copied],
      ...{ hidden, processMemoryBytes: limits.processMemoryBytes, processes: MAX_PROCESSES },
      ...{ scratchBytes: Math.min(MAX_SCRATCH_BYTES, Math.round(memoryBytes / 2)), network: services?.network },
    };
    const { command, inputs } = await wrapInBubblewrap(wanted, sandbox.user, sandbox.sized);
    const ran = await runLimited(command, { ...options, inputs, env: { PATH: process.env['PATH'] ?? '' } });
    return { ...ran, network: (await services?.forwarder.close()) ?? [] };
  } finally {
    if (services) {
      await services.forwarder.close();
      await rm(services.outer, { recursive: true, force: true });
    }
  }
}

interface OpenServices {
  readonly network: SandboxNetwork;
  readonly forwarder: Forwarder;
  readonly outer: string;
}

/**
 * The folder is in /tmp, because the path of a Unix socket has at most 107 bytes. The program is another user, so it may enter
 * the inner folder, which alone is in the sandbox; nobody else may enter the outer one.
 */
async function openServices(wanted: UntrustedNetwork | undefined): Promise<OpenServices | undefined> {
  if (!wanted || wanted.services.length === 0) return undefined;
  const outer = makeTemporaryFolder('net', '/tmp');
  try {
    const folder = join(outer, 'open');
    await mkdir(folder);
    await chmod(folder, 0o755); // whatever the umask
    const forwarder = await openForwarder(wanted.services, folder, wanted.dial);
    return { network: { ...wanted, folder }, forwarder, outer };
  } catch (e) {
    await rm(outer, { recursive: true, force: true });
    throw e;
  }
}
