import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { sendSignal } from '../../system/send-signal.ts';
import { until } from './until.ts';

const SERVICE = join(import.meta.dirname, '..', '..', 'edge', 'service.ts');
const NAMESPACE = ['--pid', '--fork', '--kill-child'];
const ENDED_BY_SIGTERM = '143';
/** Milliseconds after the start of the process. Node runs the first line of the service later than that. */
const MOMENTS = [0, 0, 0, 1, 2, 5, 10, 20];

/** As in the pod: its first process, which holds the namespaces, is another one. */
const FIRST_PROCESS = `"$0" "$1" & echo started; wait $!; echo $?`;

/** 0: it has none yet. */
const childOf = (pid: number) =>
  pid === 0 ? 0 : Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim());

async function endEarly(milliseconds: number): Promise<string | undefined> {
  const child = spawn('unshare', [...NAMESPACE, 'sh', '-c', FIRST_PROCESS, process.execPath, SERVICE], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const said = text(child.stdout);
  await until(() => childOf(childOf(child.pid!)) > 0);
  await sleep(milliseconds);
  sendSignal(childOf(childOf(child.pid!)), 'SIGTERM');
  return (await said).trim().split('\n').at(-1);
}

it.skipIf(spawnSync('unshare', [...NAMESPACE, 'true']).status !== 0)(
  'a signal ends the authorisation service before it has a handler, because it is not the first process of its pod',
  async () => {
    expect(await Promise.all(MOMENTS.map(endEarly))).toEqual(MOMENTS.map(() => ENDED_BY_SIGTERM));
  },
);
