import { readText } from '../schemas/read-declared.ts';
import { writeFileAtomically } from '../system/atomic-files.ts';
import { type Place, stateFolder } from './place.ts';

/** How to reach the supervisor: its socket may be elsewhere, because a socket's path must be short. */
export interface ControlFile {
  readonly socketPath: string;
  readonly pid: number;
}

/** Reads where a supervisor is, or was; undefined: there is none. */
export async function readControlFile(place: Place): Promise<ControlFile | undefined> {
  const text = await readText(fileOf(place));
  return text === undefined ? undefined : (JSON.parse(text) as ControlFile);
}

export async function writeControlFile(place: Place, control: ControlFile): Promise<void> {
  await writeFileAtomically(fileOf(place), JSON.stringify(control), 0o600);
}

function fileOf(place: Place): string {
  return stateFolder(place, 'control.json');
}
