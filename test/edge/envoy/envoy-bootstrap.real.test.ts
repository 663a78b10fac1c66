import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeBootstrap } from '../../../edge/envoy/bootstrap.ts';
import type { TlsFiles } from '../../../edge/envoy/bootstrap-options.ts';
import { makeTlsFile } from '../../../edge/envoy/tls.ts';
import { runProcess } from '../../../system/run-process.ts';
import { startEnvoy, validate } from '../real-envoy.ts';
import { ask, codeOf, freePorts } from '../start-test-edge.ts';

const OPTIONS = {
  authorisation: { host: 'localhost', port: 8080 },
  kourier: { host: 'localhost', port: 80 },
  port: 18080,
  healthPort: 18081,
  adminPort: 19901,
  longestRequestSeconds: 1020,
  tls: undefined,
  allowedOrigins: ['https://app.example.com'],
  maxHeapBytes: 500_000_000,
} as const;

describe('makeBootstrap()', () => {
  let folder: string;
  let tls: TlsFiles;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'davit-tls-'));
    const file = (name: string) => join(folder, name);
    tls = { folder, certificate: file('tls.crt'), key: file('tls.key'), discovery: file('tls.json') };
    writeFileSync(tls.discovery, JSON.stringify(makeTlsFile(tls)));
    await makeCertificate('one.example.com');
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  async function makeCertificate(name: string): Promise<void> {
    const subject = ['-subj', `/CN=${name}`, '-days', '2'];
    const files = ['-keyout', `${tls.key}.new`, '-out', `${tls.certificate}.new`];
    const made = await runProcess('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...subject, ...files]);
    expect(made.code).toBe(0);
    for (const file of [tls.key, tls.certificate]) renameSync(`${file}.new`, file);
  }

  it('is valid, plain and with TLS', async () => {
    expect(await validate(makeBootstrap(OPTIONS))).toBe('');
    expect(await validate(makeBootstrap({ ...OPTIONS, tls, maxHeapBytes: undefined }))).toBe('');
    expect(await validate({ ...makeBootstrap(OPTIONS), unknown: 1 })).toMatch(/unknown/);
  });

  it('ends TLS, and takes a new certificate while it runs', async () => {
    const [port = 0, healthPort = 0, adminPort = 0, nobody = 0] = await freePorts(4);
    const gone = { host: '127.0.0.1', port: nobody };
    const envoy = await startEnvoy({
      ...OPTIONS,
      authorisation: gone,
      kourier: gone,
      port,
      healthPort,
      adminPort,
      tls,
    });
    const nameOf = async () => {
      const sent = request({ host: '127.0.0.1', port, path: '/x', rejectUnauthorized: false, agent: false }).end();
      const [answer] = (await once(sent, 'response')) as [IncomingMessage];
      const { socket } = answer;
      if (!(socket instanceof TLSSocket)) throw new TypeError('Cannot read the certificate: it is no TLS');
      answer.resume();
      return `${socket.getPeerCertificate().subject.CN} ${answer.statusCode ?? 0}`;
    };
    try {
      expect(await nameOf()).toBe('one.example.com 503');
      await makeCertificate('two.example.com');
      for (let tries = 0; tries < 50 && (await nameOf()) !== 'two.example.com 503'; tries++) await sleep(100);
      expect(await nameOf()).toBe('two.example.com 503');
    } finally {
      await envoy.stop();
    }
  });

  it('stays ready without a service, and is not when it must fail', async () => {
    const [port = 0, healthPort = 0, adminPort = 0, nobody = 0] = await freePorts(4);
    const gone = { host: '127.0.0.1', port: nobody };
    const envoy = await startEnvoy({ ...OPTIONS, authorisation: gone, kourier: gone, port, healthPort, adminPort });
    try {
      const answer = await ask(port, 'POST', '/serving-endpoints/iris/invocations', { body: '{}' });
      expect([answer.status, codeOf(answer)]).toEqual([503, 'TEMPORARILY_UNAVAILABLE']);
      const long = await ask(port, 'GET', '/x', { headers: { 'x-long': 'a'.repeat(40_000) } });
      expect([long.status, codeOf(long)]).toEqual([431, 'BAD_REQUEST']);
      expect((await ask(healthPort, 'GET', '/ready')).status).toBe(200);
      await ask(adminPort, 'POST', '/healthcheck/fail');
      expect((await ask(healthPort, 'GET', '/ready')).status).toBe(503);
    } finally {
      await envoy.stop();
    }
  });
});
