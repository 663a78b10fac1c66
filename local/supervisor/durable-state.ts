import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomically } from '../../system/atomic-files.ts';
import type { Autoscaling, ServingFailure, PutRouteRequest } from '../control/control-protocol.ts';
import type { Revision } from '../../schemas/deployment/revision.ts';

/** The supervisor's durable state. Environment variables are in revision folders. Tokens are stored only as hashes. */
export interface SupervisorState {
  readonly version: number;
  /** The gateway's port. Undefined before the first route. */
  readonly port: number | undefined;
  readonly revisions: Readonly<Record<string, StoredRevision>>;
  readonly endpoints: Readonly<Record<string, StoredEndpoint>>;
  /** Hex SHA-256 of each token. */
  readonly tokens: readonly string[];
}

export interface StoredRevision extends Omit<Revision, 'name' | 'environmentVars' | 'virtualenv'> {
  readonly autoscaling: Autoscaling;
  /** Undefined: the revision was proven. */
  readonly failure?: ServingFailure;
}

export interface StoredEndpoint extends Omit<PutRouteRequest, 'gateway'> {
  readonly configVersion: number;
  readonly created: number;
  readonly updated: number;
}

const FILE = 'supervisor.json';
const EMPTY: SupervisorState = { version: 1, port: undefined, revisions: {}, endpoints: {}, tokens: [] };

/** Reads the durable state. Returns undefined if there is none. */
export async function readSupervisorState(folder: string): Promise<SupervisorState | undefined> {
  const file = join(folder, FILE);
  try {
    const stored = JSON.parse(await readFile(file, 'utf8')) as SupervisorState;
    if (stored.version !== 1) throw new RangeError(`its version is ${String(stored.version)}, expected 1`);
    return stored;
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    const next = `expected the state that the supervisor wrote. Remove ${folder} and run npx davit up, which deploys the endpoints again and makes a new token`;
    throw new Error(`Cannot read ${file}: ${(e as Error).message}, ${next}`, { cause: e });
  }
}

/** The durable state. Each change is written to disk before memory, and changes are serialised. */
export class DurableState {
  readonly #folder: string;
  #stored: SupervisorState;
  #writing: Promise<unknown> = Promise.resolve();

  private constructor(folder: string, stored: SupervisorState) {
    this.#folder = folder;
    this.#stored = stored;
  }

  static async open(folder: string): Promise<DurableState> {
    return new DurableState(folder, (await readSupervisorState(folder)) ?? EMPTY);
  }

  get now(): SupervisorState {
    return this.#stored;
  }

  /** Changes the state. Resolves when the change is on disk and in `now`. */
  async change(make: (stored: SupervisorState) => SupervisorState): Promise<void> {
    const turn = this.#writing.then(async () => {
      const next = make(this.#stored);
      await writeFileAtomically(join(this.#folder, FILE), `${JSON.stringify(next, undefined, 2)}\n`, 0o600);
      this.#stored = next;
    });
    this.#writing = turn.catch(() => undefined);
    await turn;
  }
}

/** Returns a record without one key. */
export function omitKey<T>(record: Readonly<Record<string, T>>, key: string): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(record).filter(([name]) => name !== key));
}
