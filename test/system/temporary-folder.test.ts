import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { makeTemporaryFolder } from '../../system/temporary-folder.ts';

const MODULE = join(import.meta.dirname, '..', '..', 'system', 'temporary-folder.ts');

test('makeTemporaryFolder() removes what killed processes have left, and nothing else', async () => {
  const place = mkdtempSync(join(tmpdir(), 'davit-temporary-'));
  vi.stubEnv('TMPDIR', place);
  onTestFinished(() => {
    vi.unstubAllEnvs();
    rmSync(place, { recursive: true });
  });
  const left = await makeInAnother();
  const living = await makeInAnother();
  writeFileSync(join(left.folder, 'config.json'), '{}');
  left.kill();
  await left.ended;
  const others = [
    left.folder.replace('davit-a-', 'davit-b-'),
    left.folder.replace(/davit-a-\w{8}/, 'davit-a-00000000'), // before the machine was started again, or another's
    join(place, 'davit-a-from-before'),
  ];
  renameSync(makeTemporaryFolder('c'), others[0]!);
  renameSync(makeTemporaryFolder('c'), others[1]!);
  renameSync(makeTemporaryFolder('c'), others[2]!);
  expect(existsSync(left.folder)).toBe(true);
  const mine = makeTemporaryFolder('a');
  const again = makeTemporaryFolder('a');
  expect(
    readdirSync(place)
      .map((name) => join(place, name))
      .sort(),
  ).toEqual([living.folder, mine, again, ...others].sort());
  living.kill();
});

/** One of another process, which then waits. */
async function makeInAnother() {
  const code = `const { makeTemporaryFolder } = await import(${JSON.stringify(MODULE)}); console.log(makeTemporaryFolder('a')); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', code], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = once(child, 'exit');
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  return { folder: String(said).trim(), kill: () => child.kill('SIGKILL'), ended };
}
