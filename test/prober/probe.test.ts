import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { renderLoadReport, renderFailures } from '../../app/send-load/render-load-report.ts';
import { expectNoFailure, expectSwitch, probeDuring, startProber } from './probe.ts';

type Answer = (response: ServerResponse, number: number) => void;

const ended: (() => void)[] = [];
afterEach(() => ended.splice(0).forEach((end) => end()));

/** A server that answers each request by its number. It records the ports of its clients. */
async function serve(answer: Answer) {
  const ports = new Set<number>();
  let count = 0;
  const server: Server = createServer((request, response) => {
    ports.add(request.socket.remotePort!);
    request.resume().on('end', () => answer(response, count++));
  }).listen(0, '127.0.0.1');
  ended.push(() => server.close().closeAllConnections());
  await once(server, 'listening');
  const question = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, body: '{}' };
  /** Waits until this many requests have arrived. */
  const numbers = (wanted: number) =>
    expect.poll(() => count, { timeout: 20_000, interval: 10 }).toBeGreaterThan(wanted);
  return { question, ports, numbers };
}

const fine = (response: ServerResponse, name = 'iris-1') =>
  response.writeHead(200, { 'served-model-name': name }).end(name);

describe('startProber()', () => {
  it('counts what was sent, answered and refused, with the first failures', async () => {
    const { question, numbers } = await serve((response, number) => {
      if (number % 10 === 5) response.writeHead(502).end(`lost ${number}`);
      else fine(response);
    });
    const prober = startProber(question, { clients: 2 });
    await numbers(30);
    const report = await prober.stop();
    expect(report.sent).toBeGreaterThan(20);
    expect(report.answered).toBe(report.sent);
    expect(report.failed).toBe(report.outcomes.get('502'));
    expect(report.outcomes.get('200')).toBe(report.sent - report.failed);
    expect(report.failures[0]).toMatchObject({ outcome: '502', body: 'lost 5' });
    expect(report.failures.length).toBeLessThanOrEqual(20);
    expect(report.latencies).toHaveLength(report.sent);
    expect(renderLoadReport(report)).toMatch(/^\d+ requests sent, \d+ failed; p50 \d+\.\d ms, p99 .*\n\d+ × iris-1$/);
    expect(renderFailures(report)).toMatch(
      /^\d+ of \d+ requests failed, expected 0: .*\d+ × 502.*\n {2}after 0\.\d s: 502 lost 5\n/,
    );
    expect(() => expectNoFailure(report)).toThrow('502 lost 5');
  });

  it('tells a broken connection, a refused one and a silent server by their causes', async () => {
    const reset = await serve((response) => void response.destroy());
    const silent = await serve(() => undefined);
    const nobody = { url: 'http://127.0.0.1:2/', body: '' }; // a free port could be taken by another test meanwhile
    const outcomes = async (question: { url: string; body: string }, limitSeconds = 30) => {
      const prober = startProber(question, { clients: 1, limitSeconds });
      await sleep(100);
      const report = await prober.stop();
      expect([report.answered, report.failed]).toEqual([0, report.sent]);
      return [...report.outcomes.keys()];
    };
    expect(await outcomes(reset.question)).toEqual(['ECONNRESET']);
    expect(await outcomes(silent.question, 0.05)).toEqual(['SILENT']);
    expect(await outcomes(nobody)).toEqual(['ECONNREFUSED']);
  });

  it.each([
    ['kept', 2, 2],
    ['fresh', 20, Infinity],
  ] as const)('asks over %s connections', async (connections, least, most) => {
    const { question, ports, numbers } = await serve((response) => fine(response));
    const prober = startProber(question, { clients: 2, connections });
    await numbers(30);
    expectNoFailure(await prober.stop(), { atLeast: 20 });
    expect(ports.size).toBeGreaterThanOrEqual(least);
    expect(ports.size).toBeLessThanOrEqual(most);
  });

  it('has clients retry when they are asked to, or counts that as a failure', async () => {
    const answer = (response: ServerResponse, number: number) => {
      if (number % 3 === 0) response.writeHead(429, { 'retry-after': '0' }).end('full');
      else fine(response);
    };
    const patient = startProber((await serve(answer)).question, { clients: 1, honourRetryAfter: true });
    const impatient = startProber((await serve(answer)).question, { clients: 1 });
    for (let i = 0; i < 4; i++) await Promise.all([patient.round(), impatient.round()]);
    const [report, refused] = [await patient.stop(), await impatient.stop()];
    expectNoFailure(report, { atLeast: 3 });
    expect(report.retried).toBeGreaterThan(0);
    expect(report.retried).toBe(report.outcomes.get('429'));
    expect(renderLoadReport(report)).toMatch(/ 0 failed, \d+ asked to retry;/);
    expect(refused.failed).toBe(refused.outcomes.get('429'));
  });

  it('stops a client that is always asked to retry, once it is stopped', async () => {
    const { question } = await serve((response) => response.writeHead(503, { 'retry-after': '0' }).end());
    const prober = startProber(question, { clients: 1, honourRetryAfter: true });
    await sleep(50);
    expect((await prober.stop()).failed).toBe(1);
  });
});

describe('probeDuring()', () => {
  it('asks before, during and after, and shows the switch', async () => {
    let name = 'iris-1';
    const { question } = await serve((response) => fine(response, name));
    const { result, report } = await probeDuring(question, async () => {
      await sleep(50);
      name = 'iris-2';
      return 'switched';
    });
    expect(result).toBe('switched');
    expectNoFailure(report, { atLeast: 16 });
    expectSwitch(report, 'iris-1', 'iris-2');
    expect(() => expectSwitch(report, 'iris-2', 'iris-1')).toThrow(/iris-1: \d+ from \d+ to \d+ ms/);
  });

  it('stops asking when the operation fails', async () => {
    let count = 0;
    const { question } = await serve((response) => {
      count += 1;
      fine(response);
    });
    await expect(probeDuring(question, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    const after = count;
    await sleep(50);
    expect(count).toBe(after);
  });
});
