import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Of each of two files: the newer one is continued, the older one is what came before. */
const MAX_BYTES = 1024 * 1024;

/** What the model servers of one revision have said, the newest two megabytes of it. */
export class RevisionLog {
  readonly #file: string;
  #bytes: number;

  constructor(file: string) {
    this.#file = file;
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    this.#bytes = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  }

  /** Adds a line; a log that cannot be written is no reason to stop serving. */
  add(line: string): void {
    const text = `${line}\n`;
    try {
      if (this.#bytes + text.length > MAX_BYTES) {
        renameSync(this.#file, `${this.#file}.1`);
        this.#bytes = 0;
      }
      appendFileSync(this.#file, text, { mode: 0o600 });
      this.#bytes += Buffer.byteLength(text);
    } catch {
      this.#bytes = 0;
    }
  }
}

/** The last lines of a log, oldest first. */
export async function readLog(file: string, lines: number): Promise<readonly string[]> {
  const parts = await Promise.all([`${file}.1`, file].map((f) => readFile(f, 'utf8').catch(() => '')));
  return parts
    .join('')
    .split('\n')
    .filter((line) => line !== '')
    .slice(-lines);
}
