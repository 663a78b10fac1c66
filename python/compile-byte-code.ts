import { type ChildProcess, spawn } from 'node:child_process';
import { dirname, sep } from 'node:path';
import { codePath } from '../system/code.ts';
import { waitForChild } from '../system/wait-for-child.ts';
import type { Virtualenv } from './ensure-virtualenv.ts';
import type { BasePython } from './find-base-python.ts';

const SCRIPT = codePath('python', 'compile_byte_code.py');
const MAX_FILES = 20_000;
/** For one file, which a stranger may have written. */
const LIMIT_MILLISECONDS = 60_000;

/**
 * Compiles the modules of a virtualenv while a model that imports them is proved, so that the next runs start faster.
 * The model's own process cannot write byte code that anything else reads: it only names files, and waits. Davit compiles
 * those that belong to the virtualenv, its base Python or the model server. Compiling runs none of their code.
 */
export class ByteCodeCompiler {
  readonly #base: BasePython;
  readonly #pycache: string;
  readonly #folders: readonly string[];
  readonly #seen = new Set<string>();
  /** What waits for each file that the child has not compiled yet, in its order. */
  readonly #waiting: (() => void)[] = [];
  #child: ChildProcess | undefined;
  #ended: Promise<unknown> | undefined;
  #hasEnded = false;

  /** `code`: further folders whose modules every model imports. */
  constructor(virtualenv: Virtualenv, base: BasePython, code: readonly string[]) {
    this.#base = base;
    this.#pycache = virtualenv.pycache;
    this.#folders = [virtualenv.folder, ...base.folders, ...code].map((folder) => folder + sep);
  }

  /**
   * Compiles a file that an untrusted program named, if it is a module of these folders. Resolves also if it is not, or
   * cannot be compiled: the program then compiles it for itself.
   */
  async compile(file: string): Promise<void> {
    if (this.#hasEnded || !this.#accepts(file)) return;
    this.#seen.add(file);
    const child = this.#start();
    const limit = setTimeout(() => child.kill('SIGKILL'), LIMIT_MILLISECONDS);
    await new Promise<void>((done) => {
      this.#waiting.push(done);
      child.stdin?.write(`${file}\n`);
    });
    clearTimeout(limit);
  }

  /** Gives up what is not compiled yet: only a program that did not wait has named it. */
  async end(): Promise<void> {
    this.#child?.kill('SIGKILL');
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
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    this.#child = child;
    child.stdin.on('error', () => undefined);
    child.stdout.on('data', (newlines: Buffer) => {
      for (const done of this.#waiting.splice(0, newlines.length)) done();
    });
    this.#ended = waitForChild(child)
      .catch(() => undefined) // later runs are only slower
      .finally(() => {
        this.#hasEnded = true;
        for (const done of this.#waiting.splice(0)) done();
      });
    return child;
  }
}
