import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/** Identifies a supervisor. Each project and environment has one. */
export interface SupervisorId {
  /** Absolute path of the project. */
  readonly root: string;
  readonly environment: string;
}

/** A Unix socket path has 108 bytes, including the final NUL. The remaining bytes are for names below the folder. */
const MAX_FOLDER_BYTES = 60;

/** The folder of the supervisor's durable state. */
export function stateFolder({ root, environment }: SupervisorId, ...below: readonly string[]): string {
  return join(root, '.davit', 'environments', environment, ...below);
}

/** Lock of a process that starts a supervisor. It is outside the state folder, which can be removed meanwhile. */
export function startLockPath({ root, environment }: SupervisorId): string {
  return join(root, '.davit', 'environments', `${environment}.starting`);
}

/**
 * Makes the folder for this user's sockets. Prefers the session folder, which no program cleans during the session,
 * over the temporary folder. Throws if other users can access the folder.
 */
export function makeSocketFolder({ XDG_RUNTIME_DIR: session } = process.env): string {
  if (session !== undefined && isPrivate(session) && fitsSocketPath(join(session, 'davit'))) {
    const folder = join(session, 'davit');
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (isPrivate(folder)) return folder;
  }
  const wished = join(tmpdir(), `davit-${user()}`);
  const folder = fitsSocketPath(wished) ? wished : `/tmp/davit-${user()}`;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (isPrivate(folder)) return folder;
  throw new Error(
    `Cannot put sockets into ${folder}: expected a folder that belongs to this user and that nobody else can open (mode 0700)`,
  );
}

function fitsSocketPath(folder: string): boolean {
  return isAbsolute(folder) && Buffer.byteLength(folder) <= MAX_FOLDER_BYTES;
}

/** Whether a folder belongs to this user and only this user can access it. */
function isPrivate(folder: string): boolean {
  const found = lstatSync(folder, { throwIfNoEntry: false });
  return found?.isDirectory() === true && found.uid === user() && (found.mode & 0o077) === 0;
}

function user(): number {
  return process.getuid?.() ?? 0;
}

/** A short hash of a place. Equal for every spelling of its root. */
export function hashSupervisorId({ root, environment }: SupervisorId): string {
  return createHash('sha256')
    .update(`${realpathSync(root)}\n${environment}`)
    .digest('hex')
    .slice(0, 12);
}
