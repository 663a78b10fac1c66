import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { withFileLock } from '../../../system/locks/file-lock.ts';
import { readStartTime } from '../../../system/is-alive.ts';
import {
  identifyProcess,
  determineProcessState,
  parseIdentity,
  renderIdentity,
} from '../../../system/process-identity.ts';
import { runProcess } from '../../../system/run-process.ts';

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

  it('stops waiting when it is cancelled', async () => {
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
    writeFileSync(join(lock, 'owner'), `${process.pid.toString()} ${readStartTime(process.pid)}`);
    await vi.waitFor(() => {
      expect(said).toEqual([`Waiting for process ${process.pid.toString()}, which is baking …`]);
    }, 5000);
    rmSync(lock, { recursive: true });
    expect(await second).toBe('done');
  });

  it('leaves alone the lock that another one has made after somebody removed ours', async () => {
    const lock = lockIn();
    await withFileLock(lock, () => {
      rmSync(lock, { recursive: true });
      mkdirSync(lock);
      writeFileSync(join(lock, 'owner'), renderIdentity({ ...identifyProcess(), pid: 1, boot: 'another' }));
      return Promise.resolve();
    });
    expect(existsSync(join(lock, 'owner'))).toBe(true);
  });

  it('waits for a process of another machine, says who it is and how to go on', async () => {
    const lock = lockIn();
    const said: string[] = [];
    mkdirSync(lock);
    writeFileSync(join(lock, 'owner'), renderIdentity({ ...identifyProcess(), boot: 'another', host: 'box' }));
    const stop = new AbortController();
    const say = (line: string) => {
      said.push(line);
      stop.abort(new Error('enough'));
    };
    const options = { what: 'baking', progress: { say }, signal: stop.signal };
    await expect(withFileLock(lock, () => Promise.resolve(), options)).rejects.toThrow('enough');
    expect(said).toEqual([
      `Waiting for process ${process.pid.toString()} on another machine or container (box), which is baking … This machine cannot check it: if it has ended, remove ${lock}`,
    ]);
  });

  /** Holds a lock in a namespace of processes of its own, as in another container on this machine. */
  const holdElsewhere = (lock: string) => {
    const main = `import { withFileLock } from ${JSON.stringify(join(import.meta.dirname, '../../../system/locks/file-lock.ts'))};
      await withFileLock(${JSON.stringify(lock)}, () => new Promise((done) => { console.log('held'); process.stdin.on('end', done).resume(); }));`;
    const args = ['-Urpf', '--mount-proc', process.execPath, '--input-type=module', '-e', main];
    return spawn('unshare', args, { stdio: ['pipe', 'pipe', 'ignore'] });
  };
  const canUnshare = spawnSync('unshare', ['-Urpf', '--mount-proc', 'true']).status === 0;

  it.skipIf(!canUnshare)(
    'lets one of two containers on one cache hold it, and takes over when that is killed',
    async () => {
      const lock = lockIn();
      const holder = holdElsewhere(lock);
      await once(holder.stdout, 'data');
      let inside = false;
      const said: string[] = [];
      const mine = withFileLock(lock, () => Promise.resolve((inside = true)), {
        what: 'baking',
        progress: { say: (line) => void said.push(line) },
      });
      await vi.waitFor(() => expect(said[0]).toContain('on another machine or container'), 10_000);
      expect(inside).toBe(false);
      const [child] = readFileSync(`/proc/${holder.pid!}/task/${holder.pid!}/children`, 'utf8').split(' ');
      process.kill(Number(child), 'SIGKILL'); // the one that holds it, with no chance to say so
      await mine;
      expect(inside).toBe(true);
    },
  );

  it('gives the lock back when the work fails', async () => {
    const lock = lockIn();
    await expect(withFileLock(lock, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await withFileLock(lock, () => Promise.resolve(1))).toBe(1);
  });
});

describe('judgeProcess()', () => {
  const here = identifyProcess();
  const machine = { ...here, machine: 'm', namespace: '4026531836' };

  it('knows whether a process of here runs', () => {
    expect(determineProcessState(here)).toBe('runs');
    expect(determineProcessState({ ...here, started: '1' })).toBe('gone');
    expect(determineProcessState(parseIdentity(`${process.pid.toString()} ${here.started}`)!)).toBe('runs'); // of a version before
    expect(determineProcessState(parseIdentity(renderIdentity(here))!)).toBe('runs');
  });

  it('says nothing of another container, or of another machine of the same name', () => {
    expect(determineProcessState({ ...here, namespace: '1' })).toBe('unknown');
    expect(determineProcessState({ ...here, boot: 'another', machine: 'n' })).toBe('unknown');
    expect(determineProcessState({ ...here, boot: 'another', machine: 'm', namespace: '1' }, machine)).toBe('unknown');
  });

  it('knows that a machine which was started again runs none of its earlier processes', () => {
    expect(determineProcessState({ ...machine, boot: 'before' }, machine)).toBe('gone');
    expect(determineProcessState({ ...machine, boot: 'before', machine: '-' }, { ...machine, machine: '-' })).toBe(
      'unknown',
    );
  });
});
