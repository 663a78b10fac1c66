import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { makeControlGroup } from '../../sandbox/control-group.ts';
import { identifyProcess } from '../../system/process-identity.ts';

const LIMITS = { memoryBytes: 1 << 20, processes: 10 };
let root = '';

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'davit-groups-'));
});
afterEach(() => rmSync(root, { recursive: true }));

/** A folder is no control group: it has no files for the settings. So nothing is made here, and what is left is removed. */
it('removes the groups of processes that were killed, and of nobody else', async () => {
  for (const tree of ['memory', 'pids']) mkdirSync(join(root, tree));
  const { pid: gone } = spawnSync('true');
  const { namespace, pid, started } = identifyProcess();
  const names = [`${gone}-1-00000000`, `${pid}-${started}-00000000`, `${pid}-1-11111111`].map(
    (name) => `davit-untrusted-${namespace}-${name}`,
  );
  for (const name of [...names, 'davit-cluster', `davit-untrusted-1-${gone}-1-00000000`])
    mkdirSync(join(root, 'memory', name));
  expect(await makeControlGroup(LIMITS, root)).toBeUndefined();
  expect(readdirSync(join(root, 'memory')).sort()).toEqual(
    ['davit-cluster', `davit-untrusted-1-${gone}-1-00000000`, names[1]].sort(),
  );
});

it('offers none where the kernel has none, or does not let this user make one', async () => {
  expect(await makeControlGroup(LIMITS, root)).toBeUndefined();
  writeFileSync(join(root, 'cgroup.controllers'), 'memory pids');
  expect(await makeControlGroup(LIMITS, root)).toBeUndefined();
  expect(readdirSync(root)).toEqual(['cgroup.controllers']);
});
