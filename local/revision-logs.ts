import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readLog, RevisionLog } from './revision-log.ts';

/** The two logs of each revision, beside its folder so that they outlive a start that failed. */
export class RevisionLogs {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** What the model's servers print. */
  output(revision: string): RevisionLog {
    return new RevisionLog(this.#file(revision, 'log'));
  }

  /** What was done to start them. */
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
