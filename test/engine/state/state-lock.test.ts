import { expect, test } from 'vitest';
import { isLockRefusal, parseLockRefusal } from '../../../engine/state/state-lock.ts';

const FILE = 'file:///s/.pulumi/locks/organization/p/dev/0.json';
const SAID = (holder: string) =>
  `error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete the lock file with \`pulumi cancel\`.\n  ${FILE}: created by ${holder}\n`;

test.each([
  ['ann@build-7 (pid 4711) at 2026-11-29T03:04:05Z', { user: 'ann', host: 'build-7', pid: 4711 }],
  ['ann@example.com@build-7 (pid 1) at 2026-11-29T03:04:05Z', { user: 'ann@example.com', host: 'build-7', pid: 1 }],
  ['Ann (pid 2) Other@build-7 (pid 3) at 2026-11-29T03:04:05Z', { user: 'Ann (pid 2) Other', host: 'build-7', pid: 3 }],
])('parseLockRefusal() reads the holder %s', async (holder, expected) => {
  expect(isLockRefusal(SAID(holder))).toBe(true);
  expect(await parseLockRefusal(SAID(holder))).toEqual([
    { file: FILE, since: '2026-11-29T03:04:05Z', alive: undefined, ...expected },
  ]);
});

test.each([
  `  ${FILE}: created by nobody`,
  `  ${FILE}: created by ann@host (pid x) at now`,
  `  ${FILE}: created by @host (pid 1) at now`,
  `${FILE}: created by ann@host (pid 1) at now`,
  '  : created by ann@host (pid 1) at now',
])('parseLockRefusal() reads no holder from %j', async (line) => {
  expect(await parseLockRefusal(line)).toEqual([]);
});

test('parseLockRefusal() reads every holder', async () => {
  const line = (pid: number) => `  /s/${pid}.json: created by ann@host-a (pid ${pid}) at now`;
  const found = await parseLockRefusal([line(1), 'words', line(2)].join('\n'));
  expect(found.map((l) => l.pid)).toEqual([1, 2]);
});
