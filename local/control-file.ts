import { readFile } from 'node:fs/promises';
import { writeFileAtomically } from '../system/atomic-files.ts';
import { type Place, stateFolder } from './place.ts';

/** How to reach the supervisor: its socket may be elsewhere, because a socket's path must be short. */
export interface ControlFile {
  readonly socketPath: string;
  readonly pid: number;
}

/** Reads where a supervisor is, or was. */
export async function readControlFile(place: Place): Promise<ControlFile | undefined> {
  const text = await readFile(fileOf(place), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as ControlFile);
}

export async function writeControlFile(place: Place, control: ControlFile): Promise<void> {
  await writeFileAtomically(fileOf(place), JSON.stringify(control), 0o600);
}

function fileOf(place: Place): string {
  return stateFolder(place, 'control.json');
}
