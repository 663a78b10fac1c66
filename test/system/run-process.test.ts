import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { isAlive } from '../../system/is-alive.ts';
import { makeChildEnvironment, runProcess } from '../../system/run-process.ts';

const node = (script: string, options = {}) => runProcess(process.execPath, ['-e', script], options);

describe('runProcess()', () => {
  it('gives code, output and lines as they come', async () => {
    const lines: string[] = [];
    const ran = await node('console.error("a\\nb"); console.log("out"); process.exitCode = 7', {
      onLine: (line: string) => lines.push(line),
    });
    expect(ran).toEqual({ code: 7, signal: undefined, stdout: 'out\n', stderr: 'a\nb\n', timedOut: false });
    expect(lines).toEqual(['a', 'b']);
  });

  it('passes arguments as they are, without a shell', async () => {
    const { stdout } = await runProcess(process.execPath, ['-p', 'process.argv[1]', '$(id); `id` > x']);
    expect(stdout).toBe('$(id); `id` > x\n');
  });

  it('kills what takes longer than its limit', async () => {
    expect(await node('setInterval(() => 0, 1000)', { limitSeconds: 0.3 })).toMatchObject({
      code: -1,
      signal: 'SIGKILL',
      timedOut: true,
    });
  });

  it.each(['killed for its time', 'stopped', 'ended by itself'])(
    'does not wait for a grandchild that holds the output open when the program was %s',
    async (how) => {
      const stop = new AbortController();
      const pids: number[] = [];
      if (how === 'killed for its time') vi.useFakeTimers({ toFake: ['setTimeout'] }); // Node may start slowly
      onTestFinished(() => void vi.useRealTimers());
      const heard = (line: string) => {
        pids.push(Number(line));
        if (how === 'killed for its time') vi.advanceTimersByTime(1000);
        vi.useRealTimers();
        if (how === 'stopped') stop.abort(new Error('enough'));
      };
      const script = `
        const { spawn } = require('node:child_process');
        const child = spawn('sleep', ['60'], { stdio: 'inherit', detached: true });
        console.error(child.pid);
        ${how === 'ended by itself' ? 'child.unref();' : ''}`;
      const ran = node(script, {
        onLine: heard,
        signal: stop.signal,
        ...(how === 'killed for its time' && { limitSeconds: 1 }),
      });
      if (how === 'stopped') await expect(ran).rejects.toThrow(/Stopped .* before its end/);
      else expect(await ran).toMatchObject({ timedOut: how === 'killed for its time', stderr: `${pids[0]!}\n` });
      expect(isAlive(pids[0]!)).toBe(true); // so nobody has waited for it
      process.kill(pids[0]!, 'SIGKILL');
    },
  );

  it('stops with the signal of its caller', async () => {
    const stop = new AbortController();
    const ran = node('setInterval(() => 0, 1000)', { signal: stop.signal });
    setTimeout(() => stop.abort(new Error('enough')), 100);
    await expect(ran).rejects.toThrow(/Stopped .* before its end/);
  });

  it('says which program cannot be started', async () => {
    await expect(runProcess('/no/such/program', [])).rejects.toThrow('Cannot start "/no/such/program"');
  });
});

describe('makeChildEnvironment()', () => {
  it('leaves out what changes how Python runs', () => {
    process.env['PYTHONDONTWRITEBYTECODE'] = '1';
    expect(makeChildEnvironment({ A: 'b' })).not.toHaveProperty('PYTHONDONTWRITEBYTECODE');
    expect(makeChildEnvironment({ A: 'b' })).toHaveProperty('A', 'b');
  });
});

describe('isAlive()', () => {
  it('knows who runs, who never did, and who has ended without being noticed', async () => {
    expect(isAlive(process.pid)).toBe(true);
    expect(isAlive(2 ** 22 - 1)).toBe(false);
    // Python starts a child that ends at once, and does not look after it.
    const script = 'import os,sys,time; p=os.fork(); p or os._exit(0); print(p, flush=True); time.sleep(30)';
    const parent = spawn('python3', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore'] });
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    await vi.waitFor(() => expect(isAlive(Number(String(line)))).toBe(false));
    parent.kill('SIGKILL');
  });
});
