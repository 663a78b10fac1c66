// The supervisor of one place: `node supervisor.ts --project ROOT --environment NAME`. Started by keeper.ts.
import { once } from 'node:events';
import { mkdir, readdir, rm, rmdir } from 'node:fs/promises';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { withFileLock } from '../system/file-lock.ts';
import { readControlFile, writeControlFile } from './control-file.ts';
import { type ControlOperations, makeControlServer } from './control-server.ts';
import { KeeperWatch } from './keeper-watch.ts';
import { makeSocketFolder, type Place, placeHash, stateFolder } from './place.ts';
import { prepareServer } from './server-command.ts';
import { Supervision } from './supervision.ts';
import { ANOTHER_RUNS, readPlace } from './supervisor-command.ts';

/** The longest that a model may take to load; for the very large ones. */
const LOAD_SECONDS = Number(process.env['DAVIT_LOAD_SECONDS'] ?? 600);
const WATCH_STATE_MILLISECONDS = 5000;
/** For the last answer to be written before the socket goes. */
const LAST_ANSWER_MILLISECONDS = 20;

try {
  await run(readPlace().place);
} catch (e) {
  process.stderr.write(`${e instanceof Error ? (e.stack ?? e.message) : String(e)}\n`); // who started it shows the end of this
  process.exit(1);
}

async function run(place: Place): Promise<void> {
  const sockets = makeSocketFolder();
  const hash = placeHash(place);
  const [socketPath, socketFolder] = [join(sockets, `${hash}.sock`), join(sockets, hash)];
  const keeper = new KeeperWatch(place);
  let ending: 'empty' | 'stopped' | undefined;
  const end = (why: 'empty' | 'stopped' | 'disowned') => {
    if (ending) return;
    ending = why === 'empty' ? why : 'stopped';
    keeper.end();
    setTimeout(() => void finish(why), LAST_ANSWER_MILLISECONDS);
  };

  const operations = Promise.withResolvers<ControlOperations>();
  const server = makeControlServer(operations.promise, () => ending !== undefined);
  if (!(await bind(server, socketPath, place))) process.exit(ANOTHER_RUNS);
  keeper.begin();
  await rm(socketFolder, { recursive: true, force: true });
  await mkdir(socketFolder, { mode: 0o700 });
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => end('stopped'));

  const supervision = await Supervision.open({
    place,
    socketFolder,
    prepare: prepareServer,
    loadSeconds: LOAD_SECONDS,
    onEnd: end,
    keeper: () => keeper.pid,
  });
  operations.resolve(supervision);
  await writeControlFile(place, { socketPath, pid: process.pid });
  const watching = setInterval(
    () => void isOurs(place).then((ours) => ours || end('disowned')),
    WATCH_STATE_MILLISECONDS,
  );

  /** The socket goes last: who finds none may start another supervisor. */
  async function finish(why: 'empty' | 'stopped' | 'disowned'): Promise<void> {
    clearInterval(watching);
    await supervision.close();
    await rm(socketFolder, { recursive: true, force: true });
    if (why === 'empty') await removeState(place);
    await rm(socketPath, { force: true });
    await rmdir(dirname(socketPath)).catch(() => undefined); // other places may have sockets there
    process.exit(0);
  }
}

/** Takes the control socket, also from a supervisor that was killed; false: another one answers there. */
function bind(server: Server, socketPath: string, place: Place): Promise<boolean> {
  return withFileLock(stateFolder(place, 'binding'), async () => {
    if (await answers(socketPath)) return false;
    await rm(socketPath, { force: true });
    server.listen(socketPath);
    await once(server, 'listening');
    return true;
  });
}

async function answers(socketPath: string): Promise<boolean> {
  const socket = connect(socketPath);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** The folder of an environment, and the empty folders above it that are ours. */
async function removeState(place: Place): Promise<void> {
  const folder = stateFolder(place);
  await rm(folder, { recursive: true, force: true });
  const left = await readdir(dirname(folder)).catch(() => ['unknown']);
  if (left.length === 0) await rmdir(dirname(folder)).catch(() => undefined);
}

/** False when somebody has removed the state, or another supervisor has it; what cannot be told now is no reason to end. */
async function isOurs(place: Place): Promise<boolean> {
  return readControlFile(place).then(
    (control) => control?.pid === process.pid,
    () => true,
  );
}
