import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Handler } from './objects.ts';

/** Servers with the names of a cloud's own, which a program reaches through a proxy. */
export interface Cloud {
  /** Variables that send all requests of a program here, and have it trust these servers. */
  readonly variables: Readonly<Record<string, string>>;
  /** What the proxy was asked for: `host:port`, or a whole address without encryption. */
  readonly asked: readonly string[];
  /** `METHOD https://host/path` of each request that a server here has answered. */
  readonly requests: readonly { readonly line: string; readonly authorization: string | undefined }[];
}

/** Starts one server for each host, until the test ends. A request to another host is refused. */
export async function startCloud(hosts: Readonly<Record<string, Handler>>): Promise<Cloud> {
  const folder = await mkdtemp(join(tmpdir(), 'davit-cloud-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const [key, certificate] = makeCertificate(folder, Object.keys(hosts));
  const asked: string[] = [];
  const requests: { line: string; authorization: string | undefined }[] = [];
  const servers = createTlsServer({ key: readFileSync(key), cert: readFileSync(certificate) }, (request, response) => {
    const { host = '', authorization } = request.headers;
    requests.push({ line: `${request.method ?? ''} https://${host}${request.url ?? ''}`, authorization });
    hosts[host]?.(request, response);
  });
  const proxy = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.writeHead(403).end();
  });
  const sockets = new Set<Socket>();
  proxy.on('connection', (socket: Socket) => sockets.add(socket));
  proxy.on('connect', ({ url = '' }, socket: Socket) => {
    asked.push(url);
    if (hosts[url.replace(/:443$/, '')] === undefined) socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    else {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      servers.emit('connection', socket);
    }
  });
  await new Promise<void>((done) => proxy.listen(0, '127.0.0.1', done));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    proxy.close();
  });
  const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const names = ['HTTPS_PROXY', 'HTTP_PROXY', 'https_proxy', 'http_proxy'];
  const off = { NO_PROXY: '', no_proxy: '', ALL_PROXY: '', all_proxy: '' };
  const variables = { ...off, ...Object.fromEntries(names.map((name) => [name, address])), REQUESTS_CA_BUNDLE: certificate }; // prettier-ignore
  return { variables, asked, requests };
}

/** One certificate that is its own authority, for all names. */
function makeCertificate(folder: string, hosts: readonly string[]): readonly [string, string] {
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
  const extensions = [
    `subjectAltName=${hosts.map((host) => `DNS:${host}`).join(',')}`,
    'basicConstraints=critical,CA:TRUE',
    'keyUsage=critical,digitalSignature,keyCertSign',
    'extendedKeyUsage=serverAuth',
  ];
  const made = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'];
  const files = ['-keyout', key, '-out', certificate, '-subj', '/CN=stand-in for a cloud'];
  execFileSync('openssl', ['req', '-x509', ...made, ...files, ...extensions.flatMap((e) => ['-addext', e])], { stdio: 'pipe' }); // prettier-ignore
  return [key, certificate];
}
