import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Maximum size of each of the two files: the current one and the previous one. */
const MAX_BYTES = 1024 * 1024;

/** A log of one revision. Keeps the newest 1 to 2 MiB. */
export class RevisionLog {
  readonly #file: string;
  #bytes: number;

  constructor(file: string) {
    this.#file = file;
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    this.#bytes = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  }

  /** Adds a line. Ignores write errors, because they must not stop serving. */
  add(line: string): void {
    const text = Buffer.from(`${line}\n`);
    try {
      if (this.#bytes + text.length > MAX_BYTES) {
        renameSync(this.#file, `${this.#file}.1`);
        this.#bytes = 0;
      }
      appendFileSync(this.#file, text, { mode: 0o600 });
      this.#bytes += text.length;
    } catch {
      this.#bytes = 0;
    }
  }
}

/** Reads the last lines of a log, oldest first. */
export async function readLog(file: string, lines: number): Promise<readonly string[]> {
  const parts = await Promise.all([`${file}.1`, file].map((f) => readFile(f, 'utf8').catch(() => '')));
  return parts
    .join('')
    .split('\n')
    .filter((line) => line !== '')
    .slice(-lines);
}
