import type { ChildProcess } from 'node:child_process';

export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Maximum time to read the output that is still in the pipes after the program ended. */
const READ_MILLISECONDS = 1000;

/**
 * Resolves when a child process has ended and its output has been read. Rejects when the process cannot start. Node's
 * `close` event alone would wait for every process that holds the output open, such as a grandchild that still runs.
 */
export function waitForChild(child: ChildProcess): Promise<ChildExit> {
  return new Promise((done, fail) => {
    child.once('error', (e) => fail(new Error(`Cannot start "${child.spawnfile}": ${e.message}`, { cause: e })));
    child.once('close', (code: number | null, signal: NodeJS.Signals | null) => done({ code, signal }));
    child.once('exit', (code, signal) => {
      const cut = setTimeout(() => {
        // First read the output that arrived while this process was busy.
        setImmediate(() => {
          for (const stream of [child.stdout, child.stderr]) stream?.destroy();
          done({ code, signal });
        });
      }, READ_MILLISECONDS);
      child.once('close', () => clearTimeout(cut));
    });
  });
}
