import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isSameProcess } from './is-alive.ts';
import { identifyProcess } from './process-identity.ts';

/**
 * Makes a folder for temporary files that only this user can read. The caller must remove it. A killed process cannot
 * remove its folder, so this function first removes the folders of processes that have ended, because they can contain
 * a password.
 */
export function makeTemporaryFolder(what: string, parent = tmpdir()): string {
  const prefix = `davit-${what}-`;
  removeAbandonedFolders(prefix, parent);
  const { pid, started } = identifyProcess();
  return mkdtempSync(join(parent, `${prefix}${place()}-${pid}-${started}-`));
}

/** A process id is unique only within one boot of the machine and one container. */
function place(): string {
  const { boot, namespace } = identifyProcess();
  return `${boot.slice(0, 8)}.${namespace}`;
}

function removeAbandonedFolders(prefix: string, parent: string): void {
  const ours = `${prefix}${place()}-`;
  for (const name of readdirSync(parent)) {
    const owner = name.startsWith(ours) ? /^(\d+)-(\d+)-\w{6}$/.exec(name.slice(ours.length)) : null;
    if (!owner || isSameProcess(Number(owner[1]), owner[2] ?? '')) continue;
    try {
      rmSync(join(parent, name), { recursive: true, force: true });
    } catch {
      // the folder belongs to another user
    }
  }
}
