import { once } from 'node:events';
import { chmodSync, lstatSync, mkdirSync } from 'node:fs';
import { readdir, rm, rmdir } from 'node:fs/promises';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { withFileLock } from '../../system/locks/file-lock.ts';
import {
  identifyProcess,
  determineProcessState,
  parseIdentity,
  renderIdentity,
} from '../../system/process-identity.ts';
import { type ControlFile, isThisProcess, readControlFile, writeControlFile } from '../control/control-file.ts';
import { makeSocketFolder, type SupervisorId, hashSupervisorId, stateFolder } from './supervisor-id.ts';

/** Name of the control socket. Short, because Unix socket paths are limited. */
const CONTROL = 'control.sock';

/**
 * The sockets of one supervisor. They are in a folder that no other supervisor uses, so that it removes only its own
 * sockets. Cleaners of temporary folders remove sockets in use, so the supervisor checks for its sockets and makes them
 * again.
 */
export class SupervisorSockets {
  readonly #place: SupervisorId;
  readonly #name: string;
  readonly #makeServer: () => Server;
  #server: Server | undefined;
  #socketPath = '';
  /** Device and inode of the socket file when it was made; empty if it was removed at once. */
  #made = '';

  private constructor(place: SupervisorId, makeServer: () => Server) {
    this.#place = place;
    this.#name = `${hashSupervisorId(place)}-${randomBytes(3).toString('hex')}`;
    this.#makeServer = makeServer;
  }

  /** Takes over the place, even from a killed supervisor. Returns undefined if another supervisor runs. */
  static open(place: SupervisorId, makeServer: () => Server): Promise<SupervisorSockets | undefined> {
    return withFileLock(bindingLockPath(place), async () => {
      const control = await readControlFile(place);
      if (control && (await isSupervisorRunning(control))) return undefined;
      await removeStaleFolders(place);
      const sockets = new SupervisorSockets(place, makeServer);
      await sockets.#listen();
      return sockets;
    });
  }

  /** Returns the folder for the sockets, and makes it again if it was removed. */
  folder(): string {
    const folder = join(makeSocketFolder(), this.#name);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    chmodSync(folder, 0o700);
    return folder;
  }

  /** Listens again if the control socket was removed. Does nothing if another supervisor has taken over. */
  async look(): Promise<void> {
    if (this.#made !== '' && identifyFile(this.#socketPath) === this.#made) return;
    await withFileLock(bindingLockPath(this.#place), async () => {
      if (isThisProcess(await readControlFile(this.#place))) await this.#listen();
    });
  }

  /** Removes this supervisor's sockets. */
  async close(): Promise<void> {
    this.#server?.close();
    const folder = dirname(this.#socketPath);
    await rm(folder, { recursive: true, force: true });
    await rmdir(dirname(folder)).catch(() => undefined); // fails if other supervisors have sockets there
  }

  async #listen(): Promise<void> {
    this.#server?.close(); // keeps open connections; removes its socket file, so close it before making the new one
    const socketPath = join(this.folder(), CONTROL);
    await rm(socketPath, { force: true });
    const server = this.#makeServer();
    server.listen(socketPath);
    await once(server, 'listening');
    this.#server = server;
    this.#socketPath = socketPath;
    this.#made = identifyFile(socketPath);
    await writeControlFile(this.#place, { socketPath, pid: process.pid, process: renderIdentity(identifyProcess()) });
  }
}

function bindingLockPath(place: SupervisorId): string {
  return stateFolder(place, 'binding');
}

/** Whether the supervisor of a control file still runs, even without its socket. */
async function isSupervisorRunning({ socketPath, process: written = '' }: ControlFile): Promise<boolean> {
  const identity = parseIdentity(written); // earlier versions wrote no identity
  const state = identity ? determineProcessState(identity) : 'unknown';
  return state === 'unknown' ? answers(socketPath) : state === 'runs';
}

/** Removes folders of killed supervisors of this place, in which no process listens. */
async function removeStaleFolders(place: SupervisorId): Promise<void> {
  const shared = makeSocketFolder();
  const names = (await readdir(shared)).filter((name) => name.startsWith(`${hashSupervisorId(place)}-`));
  for (const name of names)
    if (!(await answers(join(shared, name, CONTROL)))) await rm(join(shared, name), { recursive: true, force: true });
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

function identifyFile(path: string): string {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found ? `${found.dev}/${found.ino}` : '';
}
