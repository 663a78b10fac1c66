import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { once } from 'node:events';
import { dirname, join } from 'node:path';

export interface GitServer {
  /** `https://localhost:PORT` */
  readonly address: string;
  /** The file with its certificate. */
  readonly certificate: string;
  /** The header `authorization` of each request. */
  readonly logins: readonly (string | undefined)[];
  readonly close: () => void;
}

/** Serves the repositories below a folder with https, as Git's own program does it. Those named `private` need a login. */
export async function startGitServer(folder: string): Promise<GitServer> {
  const [certificate, key] = [join(folder, 'server.pem'), join(folder, 'server.key')];
  const files = [
    '-keyout',
    key,
    '-out',
    certificate,
    '-subj',
    '/CN=localhost',
    '-addext',
    'subjectAltName=DNS:localhost',
  ];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...files], { stdio: 'pipe' });
  const logins: (string | undefined)[] = [];
  const server: Server = createServer(
    { key: readFileSync(key), cert: readFileSync(certificate) },
    (request, response) => {
      logins.push(request.headers.authorization);
      if (request.url?.startsWith('/private') === true && request.headers.authorization === undefined)
        response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
      else answer(folder, request, response);
    },
  );
  await once(server.listen(0, 'localhost'), 'listening');
  const { port } = server.address() as { port: number };
  return { address: `https://localhost:${port}`, certificate, logins, close: () => void server.close() };
}

/** Runs `git http-backend`, which speaks CGI. */
function answer(folder: string, request: IncomingMessage, response: ServerResponse): void {
  const [path = '', query = ''] = (request.url ?? '').split('?');
  const {
    'content-type': type = '',
    'content-encoding': encoding = '',
    'git-protocol': protocol = '',
  } = request.headers;
  const child = spawn('git', ['http-backend'], {
    env: {
      ...{ PATH: process.env['PATH'], GIT_PROJECT_ROOT: folder, GIT_HTTP_EXPORT_ALL: '1', HOME: folder },
      ...{ PATH_INFO: path, QUERY_STRING: query, REQUEST_METHOD: request.method, CONTENT_TYPE: type },
      ...{ HTTP_CONTENT_ENCODING: encoding, GIT_PROTOCOL: String(protocol), REMOTE_ADDR: '127.0.0.1' },
    },
  });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => void chunks.push(chunk));
  child.stdin.on('error', () => undefined);
  child.on('close', () => {
    const all = Buffer.concat(chunks);
    const end = all.indexOf('\r\n\r\n');
    const headers = all
      .subarray(0, end)
      .toString()
      .split('\r\n')
      .map((line) => line.split(': ') as [string, string]);
    const status = headers.find(([name]) => name === 'Status')?.[1] ?? '200';
    response.writeHead(Number.parseInt(status, 10), Object.fromEntries(headers.filter(([name]) => name !== 'Status')));
    response.end(all.subarray(end + 4));
  });
  request.pipe(child.stdin);
}

const AUTHOR = [
  '-c',
  'user.name=test',
  '-c',
  'user.email=test@example.com',
  '-c',
  'uploadpack.allowAnySHA1InWant=true',
];

/** Makes the repository NAME.git below a folder, or its next commit. Returns the commit. */
export function commitFiles(folder: string, name: string, files: Readonly<Record<string, string>>): string {
  const work = join(folder, `${name}.git`);
  const git = (...args: readonly string[]) =>
    execFileSync('git', [...AUTHOR, ...args], { cwd: work, encoding: 'utf8', stdio: 'pipe' }).trim();
  mkdirSync(work, { recursive: true });
  git('init', '--quiet');
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(work, path)), { recursive: true });
    writeFileSync(join(work, path), text);
  }
  git('add', '--all');
  git('commit', '--quiet', '--message', 'files');
  return git('rev-parse', 'HEAD');
}
