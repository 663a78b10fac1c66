// The supervisor of one place: `node supervisor.ts --project ROOT --environment NAME`. Started by keeper.ts.
import '../../system/node-20.ts';
import { readdir, rm, rmdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isThisProcess, readControlFile } from '../control/control-file.ts';
import { type ControlOperations, makeControlServer } from '../control/control-server.ts';
import { KeeperWatch } from './keeper-watch.ts';
import { type SupervisorId, stateFolder } from './supervisor-id.ts';
import { prepareServer } from '../revisions/server-command.ts';
import { Supervision } from './supervision.ts';
import {
  EXIT_ALREADY_RUNNING,
  EXIT_NO_ROOM,
  ignoreLogErrors,
  isLackOfRoom,
  parseSupervisorArguments,
} from './supervisor-command.ts';
import { SupervisorSockets } from './supervisor-sockets.ts';

/** Maximum seconds to load a model. The variable allows more for very large models. */
const LOAD_SECONDS = Number(process.env['DAVIT_LOAD_SECONDS'] || 600);
/** Enough for the starting command to send the first revision, even on a busy machine. */
const EMPTY_SECONDS = 120;
/** Interval of checks that the state and the sockets still belong to this supervisor. */
const WATCH_MILLISECONDS = 1000;
/** Time to write the last response before the socket closes. */
const LAST_RESPONSE_MILLISECONDS = 20;

ignoreLogErrors();
try {
  await run(parseSupervisorArguments().place);
} catch (e) {
  process.stderr.write(`${e instanceof Error ? (e.stack ?? e.message) : String(e)}\n`); // the caller prints it
  process.exit(isLackOfRoom(e) ? EXIT_NO_ROOM : 1);
}

async function run(place: SupervisorId): Promise<void> {
  const keeper = new KeeperWatch(place);
  let ending: 'empty' | 'stopped' | undefined;
  const end = (why: 'empty' | 'stopped' | 'disowned') => {
    if (ending) return;
    ending = why === 'empty' ? why : 'stopped';
    keeper.end();
    setTimeout(() => void finish(why), LAST_RESPONSE_MILLISECONDS);
  };

  const operations = Promise.withResolvers<ControlOperations>();
  const makeServer = () => makeControlServer(operations.promise, () => ending !== undefined);
  const sockets = (await SupervisorSockets.open(place, makeServer)) ?? process.exit(EXIT_ALREADY_RUNNING);
  keeper.begin();
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => end('stopped'));

  const supervision = await Supervision.open({
    place,
    socketFolder: () => sockets.folder(),
    prepare: prepareServer,
    loadSeconds: LOAD_SECONDS,
    emptySeconds: EMPTY_SECONDS,
    onEnd: end,
    keeper: () => keeper.pid,
  });
  operations.resolve(supervision);
  let looking: Promise<void> | undefined; // one check at a time, because a concurrent one would make the socket again
  const watching = setInterval(look, WATCH_MILLISECONDS);

  function look(): void {
    looking ??= watch().finally(() => (looking = undefined));
  }

  async function watch(): Promise<void> {
    if (!(await ownsState(place))) end('disowned');
    else if (!ending)
      await sockets
        .look()
        .catch((e: unknown) => process.stderr.write(`Cannot restore the control socket: ${String(e)}\n`));
  }

  /** Removes the sockets last, because a command that finds none can start another supervisor. */
  async function finish(why: 'empty' | 'stopped' | 'disowned'): Promise<void> {
    clearInterval(watching);
    await looking;
    await supervision.close();
    if (why === 'empty') await removeState(place);
    await sockets.close();
    process.exit(0);
  }
}

/** Removes the folder of an environment, and the environments folder if it is then empty. */
async function removeState(place: SupervisorId): Promise<void> {
  const folder = stateFolder(place);
  await rm(folder, { recursive: true, force: true });
  const left = await readdir(dirname(folder)).catch(() => ['unknown']);
  if (left.length === 0) await rmdir(dirname(folder)).catch(() => undefined);
}

/**
 * False if the state was removed or another supervisor has it. True if the check fails, so that errors do not end it.
 */
async function ownsState(place: SupervisorId): Promise<boolean> {
  return readControlFile(place).then(isThisProcess, () => true);
}
