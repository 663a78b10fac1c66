import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { waitForEnd } from '../../../local/supervisor/start-supervisor.ts';

function run(seconds: string) {
  const child = spawn('sleep', [seconds]);
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

/** Waits for the end of a process, and returns the progress lines. */
async function wait(pid: number, limits: { readonly limitSeconds: number; readonly noticeSeconds: number }) {
  const said: string[] = [];
  await waitForEnd({ pid, keeper: undefined }, { progress: { say: (line) => void said.push(line) }, ...limits });
  return said;
}

test('waitForEnd() reports a long wait once, and that the limit has passed', async () => {
  const pid = run('60').pid!;
  expect(await wait(pid, { limitSeconds: 0.4, noticeSeconds: 0.1 })).toEqual([
    `Waiting for the supervisor to end (process ${pid}) …`,
    `The supervisor has not ended after 0.4 s (process ${pid}); continuing`,
  ]);
});

test('waitForEnd() reports nothing when the supervisor ends soon', async () => {
  const child = run('0.1');
  expect(await wait(child.pid!, { limitSeconds: 20, noticeSeconds: 10 })).toEqual([]);
  const ended = run('0');
  await once(ended, 'exit');
  expect(await wait(ended.pid!, { limitSeconds: 20, noticeSeconds: 0 })).toEqual([]);
});
