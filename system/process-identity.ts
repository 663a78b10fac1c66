import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { isAlive, readStartTime } from './is-alive.ts';

/**
 * Identifies a process across machines. A process id alone is ambiguous: after a restart, in another container, or on
 * another machine that shares the folder, it names another process.
 */
export interface ProcessIdentity {
  readonly pid: number;
  /** Kernel ticks from boot to the start of the process. In this and the next fields, '-' means unknown. */
  readonly started: string;
  /** The kernel's boot id, which changes with each boot. */
  readonly boot: string;
  /** PID namespace. Each container has its own. */
  readonly namespace: string;
  /** Digest of the machine id, which survives a restart. */
  readonly machine: string;
  readonly host: string;
}

/** The machine's root PID namespace, which has this number on every Linux. */
const ROOT_NAMESPACE = '4026531836';

/** Identifies a process that is visible here. Default: this process. */
export function identifyProcess(pid = process.pid): ProcessIdentity {
  return { pid, started: readStartTime(pid) || '-', ...THIS_HOST };
}

const THIS_HOST = {
  boot: read(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
  namespace: read(() => readlinkSync('/proc/self/ns/pid').replaceAll(/\D/g, '')),
  machine: read(() => digest(readFileSync('/etc/machine-id', 'utf8').trim())),
  host: hostname(),
};

/** Renders one line. It starts with the process id and the start time, which is all that earlier versions wrote. */
export function renderIdentity({ pid, started, boot, namespace, machine, host }: ProcessIdentity): string {
  return [pid, started, boot, namespace, machine, host].join(' ');
}

/** Parses the line. Assumes this machine for lines of earlier versions. Returns undefined for an incomplete line. */
export function parseIdentity(text: string): ProcessIdentity | undefined {
  const [pid = '', started = '', boot, namespace = '-', machine = '-', host = '-'] = text.trim().split(' ');
  if (!/^\d+$/.test(pid)) return undefined;
  return boot === undefined
    ? { ...THIS_HOST, pid: Number(pid), started: started || '-' }
    : { pid: Number(pid), started, boot, namespace, machine, host };
}

/** Whether a process runs. `unknown`: it belongs to another machine or container and is not visible here. */
export function determineProcessState(of: ProcessIdentity, here: Omit<ProcessIdentity, 'pid' | 'started'> = THIS_HOST) {
  const isOurs = of.boot === here.boot && of.namespace === here.namespace && (of.boot !== '-' || of.host === here.host);
  if (isOurs) return isAlive(of.pid) && (readStartTime(of.pid) || '-') === of.started ? 'runs' : 'gone';
  // Not in a container, and this machine has restarted since.
  const isBeforeRestart =
    of.boot !== here.boot &&
    of.machine === here.machine &&
    of.machine !== '-' &&
    of.host === here.host &&
    of.namespace === ROOT_NAMESPACE &&
    here.namespace === ROOT_NAMESPACE;
  return isBeforeRestart ? 'gone' : 'unknown';
}

/** Whether a process runs under the same kernel as this one, in any container. */
export function isOnThisKernel({ boot }: ProcessIdentity): boolean {
  return boot !== '-' && boot === THIS_HOST.boot;
}

function digest(text: string): string {
  return text === '' ? '-' : createHash('sha256').update(`davit ${text}`).digest('hex').slice(0, 16);
}

function read(value: () => string): string {
  try {
    return value() || '-';
  } catch {
    return '-';
  }
}
