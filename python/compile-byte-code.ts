import { type ChildProcess, spawn } from 'node:child_process';
import { dirname, sep } from 'node:path';
import { codePath } from '../system/code.ts';
import { waitForChild } from '../system/wait-for-child.ts';
import type { Virtualenv } from './ensure-virtualenv.ts';
import type { BasePython } from './find-base-python.ts';

const SCRIPT = codePath('python', 'compile_byte_code.py');
const MAX_FILES = 20_000;
const LIMIT_MILLISECONDS = 60_000;

/**
 * Compiles the modules of a virtualenv while a model that imports them is proved, so that the next runs start faster.
 * The model's own process cannot write byte code that anything else reads: it only names files. Davit compiles those
 * that belong to the virtualenv, its base Python or the model server. Compiling runs none of their code.
 */
export class ByteCodeCompiler {
  readonly #base: BasePython;
  readonly #pycache: string;
  readonly #folders: readonly string[];
  readonly #seen = new Set<string>();
  #child: ChildProcess | undefined;
  #ended: Promise<unknown> | undefined;

  /** `code`: further folders whose modules every model imports. */
  constructor(virtualenv: Virtualenv, base: BasePython, code: readonly string[]) {
    this.#base = base;
    this.#pycache = virtualenv.pycache;
    this.#folders = [virtualenv.folder, ...base.folders, ...code].map((folder) => folder + sep);
  }

  /** Compiles the files that an untrusted program named, if they are modules of these folders. */
  add(files: readonly string[]): void {
    const own = files.filter((file) => this.#accepts(file) && this.#seen.add(file));
    if (own.length > 0) this.#start().stdin?.write(own.map((file) => `${file}\n`).join(''));
  }

  /** Waits until all files are compiled. If that fails, the next run is only slower. */
  async end(): Promise<void> {
    this.#child?.stdin?.end();
    await this.#ended;
  }

  #accepts(file: string): boolean {
    if (this.#seen.size >= MAX_FILES || this.#seen.has(file) || !file.endsWith('.py')) return false;
    if (/[\n\r\0]/.test(file) || file.split(sep).includes('..')) return false;
    return this.#folders.some((folder) => file.startsWith(folder)) && !file.startsWith(this.#pycache + sep);
  }

  /** Uses the base Python without site packages, because a virtualenv's Python runs code of packages when it starts. */
  #start(): ChildProcess {
    if (this.#child) return this.#child;
    const child = spawn(this.#base.executable, ['-I', '-S', SCRIPT, this.#pycache], {
      cwd: dirname(this.#base.executable),
      env: {},
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    child.stdin.on('error', () => undefined);
    const limit = setTimeout(() => child.kill('SIGKILL'), LIMIT_MILLISECONDS);
    this.#ended = waitForChild(child)
      .catch(() => undefined)
      .finally(() => clearTimeout(limit));
    this.#child = child;
    return child;
  }
}
