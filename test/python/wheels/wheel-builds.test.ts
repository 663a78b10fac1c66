import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { addBuiltWheels, keepWheel } from '../../../python/wheels/ensure-built-wheels.ts';
import { explainBuild } from '../../../python/wheels/explain-build.ts';
import { explainWrongMetadata, explainWrongWheel } from '../../../python/wheels/explain-wrong-wheel.ts';
import { parseSource } from '../../../python/wheels/find-source.ts';
import { findIndexLogin } from '../../../python/wheels/index-login.ts';
import { findNetrcLogin } from '../../../python/wheels/parse-netrc.ts';
import type { LimitedRun } from '../../../sandbox/run-limited.ts';

const LIMITS = { limitSeconds: 900, memoryBytes: 4 * 2 ** 30 };
const explain = (stderr: string, more: Partial<LimitedRun> = {}) =>
  explainBuild({ code: 1, signal: undefined, stdout: '', stopped: undefined, ...more, stderr }, LIMITS);

test.each([
  ["error: command 'gcc' failed: No such file or directory", 'a C compiler (gcc)', 'build-essential'],
  ["error: command 'x86_64-linux-gnu-g++' failed: No such file or directory", 'a C compiler (g++)', 'build-essential'],
  ["unable to execute 'gfortran': No such file or directory", 'the program gfortran', 'gfortran'],
  ["FileNotFoundError: [Errno 2] No such file or directory: 'cmake'", 'the program cmake', 'cmake'],
  ["error: can't find Rust compiler", 'the program cargo', 'cargo'],
  ['CMake Error: No CMAKE_C_COMPILER could be found.', 'a C compiler (cc)', 'build-essential'],
  ['Error: pg_config executable not found.', 'the program pg_config', 'libpq-dev'],
  ['/bin/sh: 1: mysql_config: not found', 'the program mysql_config', 'default-libmysqlclient-dev'],
  ['src/x.c:1:10: fatal error: Python.h: No such file or directory', 'the header Python.h', 'python3-dev'],
  ['x.c:4:10: fatal error: openssl/ssl.h: No such file or directory', 'the header openssl/ssl.h', 'libssl-dev'],
  ["x.c:2:10: fatal error: 'ffi.h' file not found", 'the header ffi.h', 'libffi-dev'],
])('says what a build lacks on this machine, and its package of Debian: %s', (log, what, debian) => {
  const { why, hint } = explain(`running build_ext\n${log}\n`);
  expect(why).toBe(`its build needs ${what}, which this machine does not have`);
  expect(hint).toContain(`apt-get install ${debian}. Or build the wheel where the model is trained`);
});

test('says why else a build fails', () => {
  expect(explain('fatal error: acme.h: No such file or directory').hint).toContain('Install the library that has it');
  expect(explain('urllib.error.URLError: <urlopen error [Errno -3] Temporary failure in name resolution>').why).toBe(
    'its build needs the network, which no build has',
  );
  expect(explain("ModuleNotFoundError: No module named 'numpy'").why).toContain('its build imports numpy');
  expect(explain("ModuleNotFoundError: No module named 'pkg_resources'").hint).toContain('an older setuptools');
  expect(explain('a log\nValueError: no such option\nlast words').why).toBe(
    'its build ends with exit code 1: ValueError: no such option',
  );
  expect(explain('', { code: -1, signal: 'SIGKILL' }).why).toBe('its build ends with SIGKILL: it prints nothing');
  expect(explain('', { stopped: 'time' }).why).toBe('its build takes longer than 15 minutes');
  expect(explain('', { stopped: 'memory' }).why).toBe('its build needs more than 4 GiB of memory');
  expect(explain("open('x.h'): No such file or directory: '/data/x.h'").why).toContain('ends with exit code 1');
});

test("reads the source distribution in uv's pylock.toml", () => {
  const hash = 'a'.repeat(64);
  const sdist = `sdist = { url = "https://files.example/x-1.tar.gz", size = 1, hashes = { sha256 = "${hash}" } }`;
  expect(parseSource(`[[packages]]\nname = "x"\n${sdist}\n`)).toEqual({
    url: 'https://files.example/x-1.tar.gz',
    hash: `sha256:${hash}`,
  });
  expect(parseSource('[[packages]]\nname = "x"\nwheels = [{ url = "https://files.example/x.whl" }]\n')).toBeUndefined();
});

test('sends credentials only to the origin of their index', async () => {
  const find = (url: string, variables: NodeJS.ProcessEnv) => findIndexLogin(url, { NETRC: '/none', ...variables });
  const named = {
    UV_INDEX: 'other=https://o.example/simple acme-x=https://pypi.acme.example/simple',
    UV_INDEX_ACME_X_USERNAME: 'ci',
    UV_INDEX_ACME_X_PASSWORD: 'secret',
  };
  const header = { authorization: `Basic ${btoa('ci:secret')}` };
  expect((await find('https://pypi.acme.example/files/x.tar.gz', named)).headers).toEqual(header);
  expect((await find('https://files.pythonhosted.org/x.tar.gz', named)).headers).toEqual({});
  expect((await find('http://pypi.acme.example/files/x.tar.gz', named)).headers).toEqual({});
  const inAddress = { UV_DEFAULT_INDEX: 'https://ci:sec%72et@pypi.acme.example/simple' };
  expect((await find('https://pypi.acme.example/x.tar.gz', inAddress)).headers).toEqual(header);
  const links = { UV_FIND_LINKS: '/wheels,https://ci:secret@pypi.acme.example/wheels.html' };
  expect((await find('https://pypi.acme.example/x.tar.gz', links)).headers).toEqual(header);
  expect(await find('https://ci:secret@pypi.acme.example/x.tar.gz', {})).toEqual({
    address: 'https://pypi.acme.example/x.tar.gz',
    headers: header,
  });
  const percent = await find('https://ci:100%@pypi.acme.example/x.tar.gz', {});
  expect(percent.headers).toEqual({ authorization: `Basic ${btoa('ci:100%')}` });
});

test("sends the credentials of the user's netrc file to their host, if no variable has others", async () => {
  const folder = mkdtempSync(join(tmpdir(), 'davit-netrc-'));
  const text = 'machine pypi.acme.example\n  login ci\n  password secret\n';
  writeFileSync(join(folder, '.netrc'), text);
  const header = { authorization: `Basic ${btoa('ci:secret')}` };
  const url = 'https://pypi.acme.example/x.tar.gz';
  expect((await findIndexLogin(url, { HOME: folder })).headers).toEqual(header);
  expect((await findIndexLogin('https://o.example/x', { NETRC: join(folder, '.netrc') })).headers).toEqual({});
  const named = { HOME: folder, UV_INDEX: 'a=https://pypi.acme.example/simple', UV_INDEX_A_PASSWORD: 'token' };
  expect((await findIndexLogin(url, named)).headers).toEqual({ authorization: `Basic ${btoa(':token')}` });
});

test.each([
  ['machine a login me password x machine b login you password y', 'me:x'],
  ['# machine a login not\nmachine a\npassword x#1\nlogin me\n', 'me:x#1'],
  ['machine a login "me too" account z password "x y"', 'me too:x y'],
  ['macdef init\nmachine a login not password not\n\nmachine a login me password x', 'me:x'],
  ['default login any password d', 'any:d'],
  ['machine b login you password y', undefined],
  ['machine a login machine password password', 'machine:password'],
  ['', undefined],
])('reads the netrc file %j', (text, expected) => {
  expect(findNetrcLogin(text, 'a')).toBe(expected);
});

test.each([
  ['docopt-0.6.2-py3-none-any.whl', '0.6.2', true],
  ['DocOpt-0.6.2+local_1-py3-none-any.whl', '0.6.2', true],
  ['docopt-1.0rc1-py3-none-any.whl', '1.0.0-c1', true],
  ['docopt-0.6.2-py3-none-any.whl', '0.6.2+cpu', false],
  ['docopt-0.6.3-py3-none-any.whl', '0.6.2', false],
  ['doc_opt-0.6.2-py3-none-any.whl', '0.6.2', false],
])('%s is the wheel of docopt %s: %s', (file, version, expected) => {
  const wanted = { name: 'docopt', version };
  expect(explainWrongWheel(file, wanted)).toBe(expected ? undefined : `its build has made ${file}`);
  const [name, its] = file.split('-');
  const metadata = `Metadata-Version: 2.1\r\nName: ${name}\r\nVersion: ${its}\r\n`;
  expect(explainWrongMetadata(`${metadata}\r\nVersion: 9\n`, wanted) === undefined).toBe(expected);
  expect(explainWrongMetadata(`${metadata}Version: 9\n`, wanted)).toContain('another package or version');
});

test('a lock cannot name a wheel of another version that the cache has', async () => {
  vi.stubEnv('DAVIT_CACHE', mkdtempSync(join(tmpdir(), 'davit-cache-')));
  onTestFinished(() => void vi.unstubAllEnvs());
  const hash = `sha256:${'a'.repeat(64)}`;
  await keepWheel({ file: 'docopt-0.6.3-py3-none-any.whl', bytes: Buffer.from('x'), hash, metadata: '' });
  const locked = { name: 'docopt', hashes: [hash], built: { from: hash, with: [] } };
  const add = (version: string) => addBuiltWheels([{ ...locked, version }], { python: '3.11', platform: 'x' }, {});
  expect(await add('0.6.3')).toHaveLength(1);
  await expect(add('0.6.2')).rejects.toThrow('Cannot use the wheel of docopt 0.6.2: its build has made docopt-0.6.3-');
});
