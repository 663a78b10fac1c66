import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { PROOF_HEADER, proveRequest } from '../../../edge/counting/peer-proof.ts';
import { makePeerClient, makePeerServer } from '../../../edge/counting/peers.ts';
import { NO_TRAFFIC } from '../../../edge/counting/traffic-counts.ts';
import { makeRateLimitCounters } from '../../../serving-api/rate-limits.ts';
import { logged } from '../logged.ts';
import { ask } from '../start-test-edge.ts';

const KEY = Buffer.alloc(32, 'k');
const OTHER_KEY = Buffer.alloc(32, 'o');
const LIMIT = { key: 'endpoint', calls: 1, principal: undefined, renewalSeconds: 60 } as const;
const DEMAND = makeRateLimitCounters('iris', [LIMIT], { name: 'ann', kind: 'user', groups: [] })!;
const COUNTER = { name: 'a', what: 'b', calls: 1, seconds: 60 };

describe('what replicas tell each other', () => {
  let port: number;
  const take = vi.fn(() => undefined);
  const server = () => makePeerServer({ take, counts: () => ({ 'iris-1': NO_TRAFFIC }) }, KEY);
  let running: ReturnType<typeof server>;

  beforeEach(async () => {
    running = server().listen(0, '127.0.0.1');
    await once(running, 'listening');
    ({ port } = running.address() as AddressInfo);
  });
  afterEach(() => (running.closeAllConnections(), running.close()));

  const post = (body: string, { path = '/take', key = KEY, proof = '' } = {}) => {
    const host = `127.0.0.1:${port}`;
    const own = proveRequest(key, { host, path, body }, Date.now());
    return ask(port, 'POST', path, { headers: { [PROOF_HEADER]: proof || own }, body });
  };

  it('arrives where both have the key', async () => {
    const client = makePeerClient(port, 2000, KEY);
    expect(await client.take('127.0.0.1', DEMAND)).toBeUndefined();
    expect(take).toHaveBeenLastCalledWith(DEMAND);
    expect(await client.counts('127.0.0.1', 'iris')).toEqual({ 'iris-1': NO_TRAFFIC });
  });

  it('is refused without the key, from earlier, for another replica or another question, and the key is in no log', async () => {
    const body = JSON.stringify(DEMAND);
    const prove = (more: object, now = Date.now()) =>
      proveRequest(KEY, { host: `127.0.0.1:${port}`, path: '/take', body, ...more }, now);
    const proofs = [
      'x',
      '1.2.3',
      prove({}, Date.now() - 61_000),
      prove({}, Date.now() + 61_000),
      prove({ host: '127.0.0.2:1' }),
      prove({ path: '/counts' }),
      prove({ body: '{}' }),
    ];
    for (const proof of proofs) expect((await post(body, { proof })).status).toBe(401);
    expect((await post(body, { key: OTHER_KEY })).status).toBe(401);
    expect((await ask(port, 'POST', '/take', { body })).status).toBe(401);
    await expect(makePeerClient(port, 2000, OTHER_KEY).take('127.0.0.1', DEMAND)).rejects.toThrow('401');
    expect(take).not.toHaveBeenCalled();
    expect(logged.join('')).toContain('refused a request that should come from another replica');
    expect(logged.join('')).not.toMatch(/kkkk|a2tra/);
  });

  it.each([
    ['no JSON', 'x'],
    ['a list', '[]'],
    ['no counters', '{}'],
    ['a field too many', JSON.stringify({ every: [], some: [], more: 1 })],
    ['a counter without a name', JSON.stringify({ every: [{ ...COUNTER, name: undefined }], some: [] })],
    ['a counter with a number for a name', JSON.stringify({ every: [{ ...COUNTER, name: 1 }], some: [] })],
    ['a name without end', JSON.stringify({ every: [{ ...COUNTER, name: 'a'.repeat(5000) }], some: [] })],
    ['a negative limit', JSON.stringify({ every: [], some: [{ ...COUNTER, calls: -1 }] })],
    ['an endless time', `{"every":[{"name":"a","what":"b","calls":1,"seconds":1e999}],"some":[]}`],
    ['a prototype', '{"every":[],"some":[],"__proto__":{}}'],
  ])('is refused as %s, also with the key', async (_what, body) => {
    expect((await post(body)).status).toBe(400);
    expect(take).not.toHaveBeenCalled();
  });

  it('is refused when it is too large', async () => {
    expect((await post('a'.repeat(1024 * 1024 + 1))).status).toBe(413);
  });

  it.each([
    ['without a proof', '{}', {}],
    ['that is too large', `{}${' '.repeat(1024 * 1024)}`, {}],
    ['with the proof of another', '{}', { [PROOF_HEADER]: 'AAAA' }],
  ])('is not believed of an answer %s', async (_what, body, headers) => {
    const liar = createServer((_, response) => response.writeHead(200, headers).end(body)).listen(0, '127.0.0.1');
    await once(liar, 'listening');
    const client = makePeerClient((liar.address() as AddressInfo).port, 2000, KEY);
    await expect(client.take('127.0.0.1', DEMAND)).rejects.toThrow();
    await expect(client.counts('127.0.0.1', 'iris')).rejects.toThrow();
    liar.closeAllConnections();
    liar.close();
  });
});
