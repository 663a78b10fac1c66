import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';

const CODE = dirname(dirname(import.meta.dirname));
const MODEL = join(CODE, 'models/iris/1');

/** Starts `davit serve`; resolves when it says where it serves. */
async function serve(...more: readonly string[]) {
  const args = [join(CODE, 'cli/main.ts'), 'serve', '--model', MODEL, '--port', '0', ...more];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const said = { stdout: '', stderr: '' };
  child.stdout.on('data', (d: Buffer) => (said.stdout += String(d)));
  child.stderr.on('data', (d: Buffer) => (said.stderr += String(d)));
  const closed = once(child, 'close') as Promise<[number | null]>;
  const url = await vi.waitFor(
    () => {
      const found = /Serving at (http:\/\/127\.0\.0\.1:\d+\/invocations)/.exec(said.stderr)?.[1];
      if (found === undefined) throw new Error(said.stderr);
      return found;
    },
    { timeout: 120_000, interval: 100 },
  );
  return { child, url, said, closed };
}

async function ask(url: string) {
  const response = await fetch(url, { method: 'POST', headers: { 'x-davit-example': '1' } });
  return response.text();
}

describe('davit serve', () => {
  it('serves a model that no endpoint names, and drains at Ctrl-C', async () => {
    const { child, url, said, closed } = await serve('--workers', '2', '--json');
    expect(await ask(url)).toBe('{"predictions": [0, 1, 2]}');
    expect(said.stderr).toContain('/invocations, loaded once, shared by 2 workers; Ctrl-C ends it');
    process.kill(child.pid!, 'SIGINT');
    expect(await closed).toEqual([0, null]);
    expect(JSON.parse(said.stdout)).toEqual({
      command: 'serve',
      diagnostics: [],
      result: {
        ...{ model: MODEL, port: Number(new URL(url).port), exit_code: 0 },
        ...{ workers: 2, worker_mode: 'shared', found: [] },
      },
    });
  });

  it('leaves no server behind when it is killed', async () => {
    const { child, url, closed } = await serve();
    process.kill(child.pid!, 'SIGKILL');
    await closed;
    await vi.waitFor(() => expect(ask(url)).rejects.toThrow('fetch failed'), { timeout: 30_000, interval: 100 });
  });
});
