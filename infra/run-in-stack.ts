import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { inspect } from 'node:util';
import type { Client } from '@grpc/grpc-js';
import * as pulumi from '@pulumi/pulumi';
import type pb from '@pulumi/pulumi/proto/language_pb.js';
import * as state from '@pulumi/pulumi/runtime/state.js';
import { programPath } from '../system/code.ts';

/** Gives a run its own copy of the SDK's state. Internal to the SDK, whose version is pinned in package.json. */
const { withLocalStorage } = state as unknown as { readonly withLocalStorage: <T>(run: () => T) => T };

/** The result of a run of the program. The errors of a failed one have been sent to the engine. */
export type ProgramEnd = 'succeeded' | 'failed' | 'stopped';

/**
 * Runs a program as a stack of this process, as `@pulumi/pulumi/cmd/run` does it in a process of its own. Several can run
 * at once: the SDK keeps what belongs to a stack in its asynchronous context.
 */
export function runInStack(
  request: pb.RunRequest,
  signal: AbortSignal,
  program: () => Promise<object>,
): Promise<ProgramEnd> {
  listenForFaults();
  const faults = new Faults();
  const stopped = new Promise<ProgramEnd>((done) => {
    const stop = () => {
      faults.close();
      done('stopped');
    };
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
  });
  return withLocalStorage(() =>
    running.run(faults, async () => {
      connect(request);
      try {
        return await Promise.race([stopped, complete(program, faults)]);
      } finally {
        faults.close();
        disconnect();
      }
    }),
  );
}

/** The engine deletes what the program does not name, so it must not hear of success where anything has failed. */
async function complete(program: () => Promise<object>, faults: Faults): Promise<ProgramEnd> {
  const report = (e: unknown) => faults.add(e);
  // A rejection that reached the SDK would be one that nobody handles as well.
  await pulumi.runtime.runInPulumiStack(() => program().catch(report)).catch(report);
  let before: number;
  do {
    before = faults.count;
    await pulumi.runtime.disconnect(); // waits for the engine's answers
    await nextTurn(); // by then Node has reported every rejection that nobody handles
  } while (faults.count > before);
  if (faults.count > 0) return 'failed';
  await pulumi.runtime.disconnect(true); // waits until the engine has deleted what is not declared any more
  return 'succeeded';
}

function connect(request: pb.RunRequest): void {
  const [engine = ''] = request.getArgsList();
  pulumi.runtime.resetOptions(
    request.getProject(),
    request.getStack(),
    request.getParallel(),
    engine,
    request.getMonitorAddress(),
    request.getDryrun(),
    request.getOrganization(),
  );
  pulumi.runtime.setAllConfig(Object.fromEntries(request.getConfigMap().entries()), request.getConfigsecretkeysList());
}

/**
 * A stopped program may go on logging. A closed client would throw, and after a log that fails the SDK sends no log of any
 * run of this process.
 */
function disconnect(): void {
  const [monitor, engine] = [pulumi.runtime.getMonitor(), pulumi.runtime.getEngine()];
  if (engine) Object.assign(engine, { log: (_request: unknown, done: () => void) => done() });
  for (const client of [monitor, engine]) (client as unknown as Client | undefined)?.close();
}

/** The errors of one run. Each is sent to the engine once, in the words of `@pulumi/pulumi/cmd/run`. */
class Faults {
  readonly #seen = new Set<unknown>();
  #isClosed = false;

  get count(): number {
    return this.#seen.size;
  }

  /** Later errors, such as those of interrupted requests, are not reported. */
  close(): void {
    this.#isClosed = true;
  }

  add(e: unknown): void {
    if (this.#isClosed || this.#seen.has(e)) return;
    this.#seen.add(e);
    if (pulumi.RunError.isInstance(e)) void pulumi.log.error(e.message);
    else if (pulumi.ResourceError.isInstance(e))
      void pulumi.log.error(e.hideStack ? e.message : inspect(e, { colors: true }), e.resource);
    else
      void pulumi.log.error(
        `Running program '${programPath('infra', 'index.ts')}' failed with an unhandled exception:\n${inspect(e, { colors: true })}`,
      );
  }
}

const running = new AsyncLocalStorage<Faults>();
let listens = false;

/**
 * The SDK reports failures of outputs as rejections that nobody handles. Node raises each in its own asynchronous context,
 * so it belongs to one run, or to none: then it is a fault of Davit, which ends as it would without this listener.
 */
function listenForFaults(): void {
  if (listens) return;
  listens = true;
  process.on('unhandledRejection', reportFault);
}

function reportFault(e: unknown): void {
  const faults = running.getStore();
  if (faults) faults.add(e);
  else if (process.listenerCount('unhandledRejection') === 1) throw e;
}
