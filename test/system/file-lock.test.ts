import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { withFileLock } from '../../system/file-lock.ts';
import { startTime } from '../../system/is-alive.ts';
import { runProcess } from '../../system/run-process.ts';

const lockIn = () => join(mkdtempSync(join(tmpdir(), 'davit-lock-')), 'the.lock');

describe('withFileLock()', () => {
  it('lets one work at a time', async () => {
    const lock = lockIn();
    let inside = 0;
    let most = 0;
    const work = () =>
      withFileLock(lock, async () => {
        most = Math.max(most, ++inside);
        await sleep(20);
        inside -= 1;
      });
    await Promise.all([work(), work(), work()]);
    expect({ most, inside }).toEqual({ most: 1, inside: 0 });
  });

  it('takes over from a process that is gone', async () => {
    const lock = lockIn();
    const { stdout } = await runProcess(process.execPath, ['-e', 'console.log(process.pid)']);
    mkdirSync(lock);
    writeFileSync(join(lock, 'owner'), `${stdout.trim()} 1`);
    expect(await withFileLock(lock, () => Promise.resolve('done'))).toBe('done');
  });

  it('takes over from a process whose number another one has now', async () => {
    const lock = lockIn();
    mkdirSync(lock);
    writeFileSync(join(lock, 'owner'), `${process.pid.toString()} 1`);
    expect(await withFileLock(lock, () => Promise.resolve('done'))).toBe('done');
  });

  it('lets one only of many take over from a process that is gone', async () => {
    const lock = lockIn();
    mkdirSync(lock);
    writeFileSync(join(lock, 'owner'), '4194303 1');
    let inside = 0;
    let most = 0;
    const work = () =>
      withFileLock(lock, async () => {
        most = Math.max(most, ++inside);
        await sleep(20);
        inside -= 1;
      });
    await Promise.all(Array.from({ length: 8 }, work));
    expect({ most, inside }).toEqual({ most: 1, inside: 0 });
  });

  it('stops waiting when it is told to', async () => {
    const lock = lockIn();
    const first = withFileLock(lock, () => sleep(1000));
    await sleep(50);
    const stop = new AbortController();
    const second = withFileLock(lock, () => Promise.resolve(), { signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(second).rejects.toThrow('enough');
    await first;
  });

  it('says for whom it waits', async () => {
    const lock = lockIn();
    const said: string[] = [];
    const first = withFileLock(lock, () => sleep(300));
    await sleep(50);
    await withFileLock(lock, () => Promise.resolve(), {
      what: 'baking',
      progress: { say: (line) => void said.push(line) },
    });
    await first;
    expect(said).toEqual([`Waiting for process ${process.pid.toString()}, which is baking …`]);
  });

  it('names nobody while a lock has not said yet whose it is', async () => {
    const lock = lockIn();
    const said: string[] = [];
    mkdirSync(lock);
    const second = withFileLock(lock, () => Promise.resolve('done'), {
      what: 'baking',
      progress: { say: (line) => void said.push(line) },
    });
    await sleep(300);
    expect(said).toEqual([]);
    writeFileSync(join(lock, 'owner'), `${process.pid.toString()} ${startTime(process.pid)}`);
    await vi.waitFor(() => {
      expect(said).toEqual([`Waiting for process ${process.pid.toString()}, which is baking …`]);
    }, 5000);
    rmSync(lock, { recursive: true });
    expect(await second).toBe('done');
  });

  it('gives the lock back when the work fails', async () => {
    const lock = lockIn();
    await expect(withFileLock(lock, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await withFileLock(lock, () => Promise.resolve(1))).toBe(1);
  });
});
