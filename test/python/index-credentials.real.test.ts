// A private package index and each way to give uv its password: what is locked, installed and said has none of it.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { ensureVirtualenv } from '../../python/ensure-virtualenv.ts';
import { findUv } from '../../python/find-uv.ts';
import { VirtualenvError } from '../../python/virtualenv-error.ts';
import { cacheFolder } from '../../system/cache.ts';
import { parseRequirement } from '../../validation/requirements/parse-requirements.ts';
import { resolveRequirements } from '../../validation/requirements/resolve-requirements.ts';

const PASSWORD = 'hunter2/of@acme';
const SIGNATURE = 'signature-of-the-file';
const LOGIN = Buffer.from(`ci:${PASSWORD}`).toString('base64');
/** No text may have one of these. */
const SECRETS = ['hunter2', LOGIN, SIGNATURE];

afterEach(() => void vi.unstubAllEnvs());

interface PrivateIndex {
  readonly url: string;
  readonly folder: string;
  /** The status of the wheel. */
  status: number;
}

/** An index with one package, whose page has a signed address of its wheel. Davit's cache and that of uv are empty. */
async function startIndex(): Promise<PrivateIndex> {
  const folder = await mkdtemp(join(tmpdir(), 'davit-index-'));
  const wheel = makeWheel(folder);
  const link = `<a href="/files/acme_private-1.0-py3-none-any.whl?X-Signature=${SIGNATURE}#sha256=${createHash('sha256').update(wheel).digest('hex')}">x</a>`;
  const server = createServer((request, response) => {
    const { url: path = '', headers } = request;
    if (headers.authorization !== `Basic ${LOGIN}`) return void response.writeHead(401).end();
    if (path.startsWith('/files/')) return void response.writeHead(index.status).end(wheel);
    response.writeHead(path === '/simple/acme-private/' ? 200 : 404, { 'content-type': 'text/html' }).end(link);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  await findUv(); // so that the cache has it
  await symlink(cacheFolder('uv'), join(folder, 'uv'));
  vi.stubEnv('DAVIT_CACHE', folder);
  vi.stubEnv('UV_CACHE_DIR', join(folder, 'packages'));
  vi.stubEnv('UV_HTTP_RETRIES', '0');
  for (const name of ['UV_INDEX', 'UV_DEFAULT_INDEX', 'UV_FIND_LINKS']) vi.stubEnv(name, '');
  vi.stubEnv('NETRC', join(folder, 'none'));
  onTestFinished(async () => {
    server.close();
    await rm(folder, { recursive: true, force: true });
  });
  const index = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/simple`, folder, status: 200 };
  return index;
}

function makeWheel(folder: string): Buffer {
  const name = 'acme_private-1.0.dist-info';
  const files = {
    'acme_private.py': 'ANSWER = 42\n',
    [`${name}/METADATA`]: 'Metadata-Version: 2.1\nName: acme-private\nVersion: 1.0\n',
    [`${name}/WHEEL`]: 'Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
    [`${name}/RECORD`]: `acme_private.py,,\n${name}/METADATA,,\n${name}/WHEEL,,\n${name}/RECORD,,\n`,
  };
  const zip =
    'import json,sys,zipfile\nwith zipfile.ZipFile(sys.argv[1],"w") as z:\n  for n,t in json.loads(sys.argv[2]).items(): z.writestr(zipfile.ZipInfo(n),t)';
  const file = join(folder, 'wheel.whl');
  execFileSync('python3', ['-c', zip, file, JSON.stringify(files)]);
  return readFileSync(file);
}

function withLogin(url: string, login: string): string {
  return url.replace('//', `//${login}@`);
}

const WAYS: Readonly<Record<string, (index: PrivateIndex) => Readonly<Record<string, string>>>> = {
  'in the address': ({ url }) => ({ UV_DEFAULT_INDEX: withLogin(url, `ci:${encodeURIComponent(PASSWORD)}`) }),
  'by the name of the index': ({ url }) => ({
    UV_DEFAULT_INDEX: `acme=${url}`,
    ...{ UV_INDEX_ACME_USERNAME: 'ci', UV_INDEX_ACME_PASSWORD: PASSWORD },
  }),
  'in netrc': ({ url, folder }) => {
    writeFileSync(join(folder, 'netrc'), `machine 127.0.0.1\nlogin ci\npassword ${PASSWORD}\n`);
    return { UV_DEFAULT_INDEX: url, NETRC: join(folder, 'netrc') };
  },
};

const request = {
  requirements: [parseRequirement('acme-private==1.0', { file: 'requirements.txt', line: 1, column: 1 })!],
  ...{
    constraints: [],
    python: '3.11',
    platform: 'x86_64-manylinux_2_28',
    modelFolder: '/none',
    preferences: undefined,
  },
};
const makeRequest = (packages: Awaited<ReturnType<typeof resolveRequirements>>['packages'] = []) => ({
  ...{ python: '3.11', platform: 'here', packages },
});

/** The texts of Davit's cache, without uv's own and without the files of the test. */
function readKept(folder: string): readonly string[] {
  const skipped = ['packages', 'uv', 'netrc'];
  const files = globSync('**', { cwd: folder, withFileTypes: true, exclude: (f) => f.parentPath === folder && skipped.includes(f.name) }); // prettier-ignore
  return files.filter((f) => f.isFile()).map((f) => readFileSync(join(f.parentPath, f.name), 'latin1'));
}

test.each(Object.entries(WAYS))(
  'a password %s opens the index and is in nothing that is kept or said',
  async (_, make) => {
    const index = await startIndex();
    for (const [name, value] of Object.entries(make(index))) vi.stubEnv(name, value);
    const said: string[] = [];
    const progress = { say: (line: string) => void said.push(line) };
    const { packages, explanation } = await resolveRequirements(request, { progress });
    expect(explanation).toBeUndefined();
    expect(packages).toMatchObject([{ name: 'acme-private', version: '1.0' }]);
    index.status = 503;
    const failed: unknown = await ensureVirtualenv(makeRequest(packages), { progress }).catch((e: unknown) => e);
    expect(failed).toBeInstanceOf(VirtualenvError);
    index.status = 200;
    const { python } = await ensureVirtualenv(makeRequest(packages), { progress });
    expect(execFileSync(python, ['-c', 'import acme_private as a; print(a.ANSWER)'], { encoding: 'utf8' })).toBe(
      '42\n',
    );
    const { message, hint = '' } = failed as VirtualenvError;
    for (const text of [JSON.stringify(packages), message, hint, ...said, ...readKept(index.folder)])
      expect(SECRETS.filter((secret) => text.includes(secret))).toEqual([]);
  },
);

test.each<[string, (url: string) => string, RegExp]>([
  [
    'no password',
    (url) => url,
    /^Cannot query the package index 127\.0\.0\.1:\d+: it answers 401 Unauthorized\. Set its credentials where Davit runs/,
  ],
  [
    'a wrong password',
    (url) => withLogin(url, 'ci:hunter2-is-wrong'),
    /127\.0\.0\.1:\d+: it answers 401 Unauthorized\. /,
  ],
  [
    'a password that is not encoded',
    (url) => withLogin(url, `ci:${PASSWORD}`),
    /^Cannot run uv: it rejects the value of UV_DEFAULT_INDEX \(invalid port number\), expected an address whose user and password have %2F for "\/"/,
  ],
  [
    'a token in a query of an index that is down',
    () => 'http://127.0.0.1:9/simple?token=hunter2',
    /^Cannot reach the package index: /,
  ],
])('an index with %s is an outage that says the way out', async (_what, address, message) => {
  const { url } = await startIndex();
  vi.stubEnv('UV_DEFAULT_INDEX', address(url));
  const error: unknown = await resolveRequirements(request, {}).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(Error);
  expect((error as Error).message).toMatch(message);
  expect((error as Error).message).not.toContain('hunter2');
});
