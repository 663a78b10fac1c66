import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readLog, RevisionLog } from './revision-log.ts';

/** The two logs of each revision. They are outside the revision folder, because a failed start removes that folder. */
export class RevisionLogs {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Log of the model servers' output. */
  output(revision: string): RevisionLog {
    return new RevisionLog(this.#file(revision, 'log'));
  }

  /** Log of the steps to start the model servers. */
  build(revision: string): RevisionLog {
    return new RevisionLog(this.#file(revision, 'build-log'));
  }

  read(revision: string, which: 'log' | 'build-log', lines: number): Promise<readonly string[]> {
    return readLog(this.#file(revision, which), lines);
  }

  async remove(revision: string): Promise<void> {
    await rm(join(this.#folder, revision), { recursive: true, force: true });
  }

  #file(revision: string, name: string): string {
    return join(this.#folder, revision, name);
  }
}
