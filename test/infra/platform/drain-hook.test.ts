import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { describe, it, type TestContext } from 'vitest';
import { makeDrainHook } from '../../../infra/platform/objects/drain-hook.ts';

/** As Envoy's administration answers, with so many requests under way at each question. */
async function serveAdmin({ onTestFinished }: TestContext, active: readonly number[]) {
  const asked: string[] = [];
  const left = [...active];
  const server = createServer(({ method = '', url = '' }, response) => {
    asked.push(`${method} ${url}`);
    response.end(url.startsWith('/stats') ? `http.edge.downstream_rq_active: ${left.shift() ?? 0}\n` : 'OK\n');
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(() => void server.close());
  return { asked, adminPort: (server.address() as AddressInfo).port };
}

async function runDrain(adminPort: number, limitSeconds: number) {
  const drained = { adminPort, statPrefix: 'edge', noticeSeconds: 1, limitSeconds };
  const [program = '', ...args] = makeDrainHook(drained).lifecycle.preStop.exec.command;
  const start = performance.now();
  await promisify(execFile)(program, args);
  return Math.round((performance.now() - start) / 1000);
}

const DRAIN = 'POST /drain_listeners?graceful';
const LOOK = 'GET /stats?filter=edge.downstream_rq_active';

describe('makeDrainHook()', () => {
  // Both wait for seconds.
  it.concurrent('says that it goes, and ends when nothing is under way', async (context) => {
    const { expect } = context;
    const { asked, adminPort } = await serveAdmin(context, [12, 1, 0]);
    expect(await runDrain(adminPort, 10)).toBeGreaterThanOrEqual(2);
    expect(asked).toEqual([DRAIN, LOOK, LOOK, LOOK]);
  });

  it.concurrent('waits no longer than a request may take', async (context) => {
    const { expect } = context;
    const busy = [1, 1, 1, 1, 1, 1, 1, 1];
    const { asked, adminPort } = await serveAdmin(context, busy);
    expect(await runDrain(adminPort, 2)).toBeGreaterThanOrEqual(2);
    expect(asked.length - 1).toBeLessThan(busy.length);
  });

  it('leaves the pod more time than it takes', ({ expect }) => {
    const drained = { adminPort: 9901, statPrefix: 'edge', noticeSeconds: 10, limitSeconds: 4500 };
    expect(makeDrainHook(drained).terminationGracePeriodSeconds).toBe(4525);
  });
});
