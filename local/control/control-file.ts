import { readFileSync } from 'node:fs';
import { readText } from '../../schemas/read-project.ts';
import { writeFileAtomically } from '../../system/atomic-files.ts';
import {
  identifyProcess,
  determineProcessState,
  parseIdentity,
  renderIdentity,
} from '../../system/process-identity.ts';
import { type SupervisorId, stateFolder } from '../supervisor/supervisor-id.ts';

/** The address of the supervisor. Its socket is outside the state folder, because socket paths must be short. */
export interface ControlFile {
  readonly socketPath: string;
  readonly pid: number;
  /** The supervisor's identity from `renderIdentity`. Earlier versions did not write it. */
  readonly process?: string;
}

/** Reads the control file of a current or former supervisor. Returns undefined if there is no file. */
export async function readControlFile(place: SupervisorId): Promise<ControlFile | undefined> {
  const text = await readText(controlFilePath(place));
  return text === undefined ? undefined : (JSON.parse(text) as ControlFile);
}

export async function writeControlFile(place: SupervisorId, control: ControlFile): Promise<void> {
  await writeFileAtomically(controlFilePath(place), JSON.stringify(control), 0o600);
}

/** Whether the supervisor of a control file runs. False for files of earlier versions, which do not identify it. */
export function isRunning({ process: written = '' }: ControlFile): boolean {
  const identity = parseIdentity(written);
  return identity !== undefined && determineProcessState(identity) === 'runs';
}

/** Whether a control file belongs to this process. Compares identities, because containers reuse process ids. */
export function isThisProcess(control: ControlFile | undefined): boolean {
  return control?.process === renderIdentity(identifyProcess());
}

/** Whether a process is this place's supervisor, by its command line. Checked before a kill, because ids are reused. */
export function isSupervisor({ pid }: ControlFile, { root, environment }: SupervisorId): boolean {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return words.includes(root) && words.includes(environment) && words.some((word) => /supervisor\.[jt]s$/.test(word));
  } catch {
    return false; // the process has ended, or the system has no /proc
  }
}

function controlFilePath(place: SupervisorId): string {
  return stateFolder(place, 'control.json');
}
