import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CONTROL_GROUP } from './node-layout.ts';

const ROOT = '/sys/fs/cgroup';
const TRIES = 50;
const POLL_MILLISECONDS = 100;

/** Makes the control group under which the kubelet puts all pods, in every hierarchy. */
export async function makeControlGroups(): Promise<void> {
  for (const hierarchy of await listHierarchies()) {
    await mkdir(join(hierarchy, CONTROL_GROUP), { recursive: true });
    if (hierarchy.endsWith('cpuset')) await inheritCpus(hierarchy);
  }
}

/** Removes the control groups. Their processes have ended, but the kernel may need a moment. */
export async function removeControlGroups(): Promise<void> {
  for (const hierarchy of await listHierarchies()) await removeTree(join(hierarchy, CONTROL_GROUP));
}

/** cgroup v2 has one hierarchy; v1 has one for each controller. */
async function listHierarchies(): Promise<readonly string[]> {
  const names = await readdir(ROOT);
  if (names.includes('cgroup.controllers')) return [ROOT];
  const folders = await readdir(ROOT, { withFileTypes: true });
  return folders.filter((f) => f.isDirectory()).map((f) => join(ROOT, f.name));
}

/** A new cgroup v1 has no CPUs until some are assigned to it. */
async function inheritCpus(hierarchy: string): Promise<void> {
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    await writeFile(join(hierarchy, CONTROL_GROUP, file), await readFile(join(hierarchy, file), 'utf8'));
  }
}

/** Removes a group from its leaves up, with rmdir only, because its files belong to the kernel. */
async function removeTree(folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => undefined);
  if (!entries) return;
  for (const entry of entries.filter((e) => e.isDirectory())) await removeTree(join(folder, entry.name));
  for (let tries = 1; ; tries++) {
    try {
      await rmdir(folder);
      return;
    } catch (e) {
      if ((e as NodeJS.ErrnoException).code === 'ENOENT') return;
      if (tries === TRIES) throw new Error(`Cannot remove the control group ${folder}`, { cause: e });
      await sleep(POLL_MILLISECONDS);
    }
  }
}
