import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Which supervisor: there is one for each project and environment. */
export interface Place {
  /** Absolute path of the folder of Pulumi.yaml. */
  readonly root: string;
  readonly environment: string;
}

/** A Unix socket's path has 108 bytes, one of them for its end; the rest is for the names below the folder. */
const MAX_FOLDER_BYTES = 60;

/** Where the supervisor keeps what must outlive it. */
export function stateFolder({ root, environment }: Place, ...below: readonly string[]): string {
  return join(root, '.davit', 'environments', environment, ...below);
}

/** Held for moments, by who starts a supervisor; outside the state, which may be removed meanwhile. */
export function startLock({ root, environment }: Place): string {
  return join(root, '.davit', 'environments', `${environment}.starting`);
}

/** Makes, if need be, this user's own folder for sockets; refuses one that others can look into. */
export function makeSocketFolder(): string {
  const user = process.getuid?.() ?? 0;
  const wished = join(tmpdir(), `davit-${user}`);
  const folder = Buffer.byteLength(wished) <= MAX_FOLDER_BYTES ? wished : `/tmp/davit-${user}`;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const found = lstatSync(folder);
  if (!found.isDirectory() || found.uid !== user || (found.mode & 0o077) !== 0) {
    throw new Error(
      `Cannot put sockets into ${folder}: expected a folder that belongs to this user and that nobody else can open (mode 0700)`,
    );
  }
  return folder;
}

/** A short name for a place, the same however its root is spelled. */
export function placeHash({ root, environment }: Place): string {
  return createHash('sha256')
    .update(`${realpathSync(root)}\n${environment}`)
    .digest('hex')
    .slice(0, 12);
}
