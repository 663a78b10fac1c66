import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { once } from 'node:events';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { listPythons } from '../../python/find-python.ts';
import type * as ControlGroups from '../../sandbox/control-group.ts';
import { runUntrusted, type UntrustedProgram } from '../../sandbox/run-untrusted.ts';
import { findSandbox } from '../../sandbox/sandbox.ts';
import { codePath } from '../../system/code.ts';
import { listIgnoredFiles } from '../../system/model-digest.ts';

const machine = vi.hoisted(() => ({ hasGroups: true }));
vi.mock('../../sandbox/control-group.ts', async (load) => {
  const real = await load<typeof ControlGroups>();
  const makeControlGroup: typeof real.makeControlGroup = async (...args) =>
    machine.hasGroups ? real.makeControlGroup(...args) : undefined;
  return { ...real, makeControlGroup };
});

const found = await findSandbox();
const sandbox = 'why' in found ? undefined : found;
const LIMITS = { seconds: 60, outputBytes: 1 << 20, processMemoryBytes: undefined, memoryBytes: 400 << 20 };
let python = { executable: '', folder: '' };

beforeAll(async () => {
  const [first] = await listPythons('3.11');
  python = { executable: first?.executable ?? '', folder: join(first?.executable ?? '', '../..') };
});
afterEach(() => void vi.unstubAllEnvs());

async function run(code: string, more: Partial<UntrustedProgram> = {}) {
  const command = [python.executable, '-I', '-c', code];
  const nothing = { env: {}, path: [], limits: LIMITS };
  return runUntrusted({ command, ...nothing, readable: [python.folder], ...more }, sandbox);
}

/** What the program prints as JSON. */
async function ask(expression: string, more: Partial<UntrustedProgram> = {}): Promise<unknown> {
  const ran = await run(`import json, os\nprint(json.dumps(${expression}))`, more);
  if (ran.code !== 0) throw new Error(`${ran.stderr} (${String(ran.stopped)})`);
  return JSON.parse(ran.stdout);
}

function readCommandLines(): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, 'utf8')];
      } catch {
        return []; // it has ended
      }
    });
}

/** Python that tries something and says how it ended. */
const TRY = `
import ctypes, errno, os, socket
libc = ctypes.CDLL(None, use_errno=True)
def attempt(work):
    try:
        return str(work())
    except OSError as error:
        return errno.errorcode.get(error.errno, type(error).__name__)
def call(*arguments):
    answer = libc.syscall(*arguments)
    return "done" if answer >= 0 else errno.errorcode[ctypes.get_errno()]
`;

async function attempt(...works: readonly string[]): Promise<readonly string[]> {
  const { stdout, stderr } = await run(`${TRY}\n${works.map((w) => `print(attempt(lambda: ${w}))`).join('\n')}`);
  expect(stderr).toBe('');
  return stdout.trim().split('\n');
}

describe.runIf(sandbox)('a program in the sandbox', () => {
  test('sees neither files of users, nor sockets, nor environment, nor other processes', async () => {
    const secret = await mkdtemp(join(homedir(), '.davit-secret-'));
    onTestFinished(() => rm(secret, { recursive: true }));
    await writeFile(join(secret, 'key'), 'secret', { mode: 0o600 });
    vi.stubEnv('SECRET_TOKEN', 'secret');
    expect(await attempt(`open(${JSON.stringify(join(secret, 'key'))}).read()`)).toEqual(['ENOENT']);
    const tops = (await ask('sorted(os.listdir("/"))')) as string[];
    expect(tops.filter((t) => ['home', 'run', 'var', 'mnt', 'opt', 'srv', 'boot', 'media'].includes(t))).toEqual([]);
    expect(await ask('sorted(os.listdir("/etc"))')).not.toContain('shadow');
    const env = (await ask('dict(os.environ)', { env: { GREETING: 'hello' } })) as Record<string, string>;
    expect(Object.keys(env).sort()).toEqual(['GREETING', 'HOME', 'LANG', 'PATH', 'PWD', 'TMPDIR', 'USER']);
    const processes = (await ask('[p for p in os.listdir("/proc") if p.isdigit()]')) as string[];
    expect(processes.length).toBeLessThan(4);
  });

  test('sees nothing of what a model has besides what its digest covers', async () => {
    const model = await mkdtemp(join(tmpdir(), 'davit-hidden-'));
    onTestFinished(() => rm(model, { recursive: true }));
    await mkdir(join(model, 'code', '__pycache__'), { recursive: true });
    await writeFile(join(model, 'code', '__pycache__', 'evil.py'), '');
    await symlink('../MLmodel', join(model, 'code', 'link'));
    for (const name of ['registered_model_meta', 'MLmodel', 'code/x.py']) await writeFile(join(model, name), 'x');
    await mkdir(join(model, 'many'));
    // bubblewrap takes 9,000 arguments.
    await Promise.all(Array.from({ length: 3100 }, (_, i) => writeFile(join(model, 'many', `${i}`), '')));
    await writeFile(join(model, 'many', '.DS_Store'), 'x');
    const list = `[[os.path.relpath(r, m), sorted(n), [open(os.path.join(r, f)).read() for f in sorted(n)]] for m in ${JSON.stringify([model])} for r, _, n in os.walk(m) if not r.endswith("many")]`;
    expect(await ask(list, { data: [model], hidden: await listIgnoredFiles(model) })).toEqual([
      ['.', ['MLmodel', 'registered_model_meta'], ['x', '']],
      ['code', ['link', 'x.py'], ['x', 'x']],
      ['code/__pycache__', [], []],
    ]);
    const write = `open(${JSON.stringify(join(model, 'code/__pycache__/x.pyc'))}, "w")`;
    const written = await run(write, { data: [model], hidden: await listIgnoredFiles(model) });
    expect(written.stderr).toContain('Read-only file system');
    await expect(run('', { data: [model], hidden: ['/elsewhere'] })).rejects.toThrow('Cannot hide /elsewhere');
  });

  test('has another user, no capability, and cannot get one', async () => {
    const status = String(await ask('open("/proc/self/status").read()'));
    const fields = Object.fromEntries(status.split('\n').map((line) => line.split(/:\s*/) as [string, string]));
    expect(fields).toMatchObject({ CapPrm: '0'.repeat(16), CapEff: '0'.repeat(16), CapBnd: '0'.repeat(16) });
    expect(fields).toMatchObject({ NoNewPrivs: '1', Seccomp: '2' });
    const who = '[os.getuid(), os.getgid(), os.getgroups()]';
    const [one, other] = (await Promise.all([ask(who), ask(who)])) as [number, number, number[]][];
    if (sandbox?.user === 'namespace') expect([one?.[0], one?.[1]]).toEqual([65532, 65532]);
    else {
      expect([one?.[1], one?.[2], other?.[2]]).toEqual([one?.[0], [], []]);
      // The kernel counts the processes of each user, so two programs must not be of the same one.
      expect(one?.[0]).not.toBe(other?.[0]);
    }
    expect(await attempt('os.setuid(0)', 'open("/proc/1/environ").read()', 'os.chmod("/dev/null", 0)')).toEqual([
      'EPERM',
      expect.stringMatching(/EACCES|EPERM/),
      'EPERM',
    ]);
  });

  test('cannot write, mount, make namespaces, trace or use what the filter refuses', async () => {
    const writes = ['/x', '/usr/x', '/etc/passwd', '/proc/sys/kernel/core_pattern', `${python.folder}/x`];
    const refused = await attempt(...writes.map((f) => `open(${JSON.stringify(f)}, "w")`));
    expect(refused.filter((r) => !['EROFS', 'EACCES', 'EPERM'].includes(r))).toEqual([]);
    const arch = { x64: [165, 272, 101, 321, 250, 56], arm64: [40, 97, 117, 280, 219, 220] }[
      process.arch as 'x64' | 'arm64'
    ];
    const [mount, unshare, ptrace, bpf, keyctl, clone] = arch;
    const calls = [mount, unshare, ptrace, bpf, keyctl].map((n) => `call(${n}, 0x10000000, 0, 0, 0, 0)`);
    expect(await attempt(...calls, `call(${clone}, 0x10000011, 0, 0, 0, 0)`)).toEqual(Array(6).fill('EPERM'));
    expect(await attempt('call(435, 0, 0)', 'call(425, 1, 0)')).toEqual(['ENOSYS', 'ENOSYS']);
    const [memfd, shmget] = process.arch === 'arm64' ? [279, 194] : [319, 29];
    expect(await attempt(`call(${memfd}, b"x", 0)`, `call(${shmget}, 0, 4096, 0o600)`)).toEqual(['ENOSYS', 'ENOSYS']);
    expect(await attempt('socket.socket(17, 3)', 'socket.socket(40, 1)')).toEqual(['EAFNOSUPPORT', 'EAFNOSUPPORT']);
    // NETLINK_USERSOCK, UDP-Lite, SCTP with its protocol and without: the memory of their queues is not measured.
    const unmeasured = ['16, 2, 2', '2, 2, 136', '10, 1, 132', '2, 5'].map((kind) => `socket.socket(${kind})`);
    expect(await attempt(...unmeasured)).toEqual(unmeasured.map(() => 'EPROTONOSUPPORT'));
    const common = ['16, 3', '2, 1', '2, 2, 17', '10, 1 | socket.SOCK_NONBLOCK, 6'];
    expect(await attempt(...common.map((kind) => `socket.socket(${kind}).fileno() > 0`))).toEqual(
      common.map(() => 'True'),
    );
    expect(await attempt('len(os.popen("echo child").read())', 'socket.socket(1, 1).fileno() > 0')).toEqual([
      '6',
      'True',
    ]);
  });

  test('has no network, not even to this machine', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const socket = join(await mkdtemp(join(tmpdir(), 'davit-socket-')), 's');
    const local = createServer().listen(socket);
    onTestFinished(() => void local.close());
    await once(local, 'listening');
    const tries = [
      `socket.create_connection(("127.0.0.1", ${port}), 5)`,
      'socket.create_connection(("192.0.2.1", 80), 5)',
    ];
    expect(await attempt(...tries)).toEqual(['ECONNREFUSED', 'ENETUNREACH']);
    expect(await attempt(`socket.socket(1, 1).connect(${JSON.stringify(socket)})`)).toEqual(['ENOENT']);
    const loopback =
      '(lambda server: socket.create_connection(server.getsockname(), 5).fileno() > 0)(socket.create_server(("127.0.0.1", 0)))';
    expect(await attempt(loopback)).toEqual(['True']);
  });

  test.each(sandbox ? [...new Set([sandbox.user, 'namespace' as const])] : [])(
    'reaches only the services that it may, by their names, as user %s',
    async (user) => {
      const server = createServer((client) => void client.on('error', () => undefined).end('hello')).listen(
        0,
        '127.0.0.1',
      );
      onTestFinished(() => void server.close());
      await once(server, 'listening');
      const { port } = server.address() as { port: number };
      const services = [
        ...[
          { host: 'service.example', port: 443 },
          { host: '10.9.8.7', port: 5432 },
          { host: 'localhost', port },
        ],
        { host: 'down.example', port: 80 },
      ];
      const asked = [...services, { host: 'service.example', port: 444 }, { host: '10.9.8.8', port: 5432 }, { host: 'other.example', port: 443 }, { host: '127.0.0.1', port: 9 }]; // prettier-ignore
      const tries = asked.map((s) => `attempt(lambda: read(("${s.host}", ${s.port})))`);
      const code = `${TRY}
def read(address):
    with socket.create_connection(address, 20) as connection:
        return connection.makefile().read()
status = dict(line.split(":\\t") for line in open("/proc/self/status"))
children = [p for p in os.listdir("/proc") if p.isdigit() and f"PPid:\\t{os.getpid()}\\n" in open(f"/proc/{p}/status").read()]
import json
print(json.dumps([${tries.join(', ')}, status["CapEff"].strip(), status["CapAmb"].strip(), children, sorted(os.environ)]))`;
      const dial = ({ host }: { readonly host: string }) =>
        connect({ host: '127.0.0.1', port: host === 'down.example' ? 1 : port, allowHalfOpen: true });
      const program = { env: {}, path: [], limits: LIMITS, readable: [python.folder] };
      const ran = await runUntrusted(
        {
          ...program,
          command: [python.executable, '-I', '-c', code],
          network: { services, dial, python: python.executable },
        },
        sandbox && { ...sandbox, user },
      );
      expect(ran.stderr).toBe('');
      const none = '0'.repeat(16);
      expect(JSON.parse(ran.stdout)).toEqual([
        ...['hello', 'hello', 'hello', 'ECONNRESET', 'ECONNREFUSED', 'ENETUNREACH', 'gaierror', 'ECONNREFUSED'],
        ...[none, none, [], ['HOME', 'LANG', 'PATH', 'PWD', 'TMPDIR', 'USER']],
      ]);
      expect(ran.network.map((use) => [use.connections, use.receivedBytes, use.failure])).toEqual([
        ...[[1, 5, undefined], [1, 5, undefined], [1, 5, undefined], [0, 0, 'ECONNREFUSED']], // prettier-ignore
      ]);
    },
  );

  test('has no right when its environment and its folders of programs begin to count', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'davit-path-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    await chmod(folder, 0o755);
    for (const name of ['setpriv', 'prlimit', 'sh', 'bwrap'])
      await writeFile(join(folder, name), '#!/bin/sh\necho taken over >&2\n', { mode: 0o755 });
    const value = `it's "$HOME"\n\`id\``;
    const ran = await run('import os; print(os.environ["VALUE"])', {
      ...{ path: [folder], readable: [python.folder, folder] },
      env: { VALUE: value, LD_PRELOAD: '/missing.so' },
    });
    expect(ran.stdout).toBe(`${value}\n`);
    expect(ran.stderr).not.toContain('taken over');
    expect(ran.stderr.split('\n').filter((line) => line.includes('/missing.so'))).toHaveLength(1); // Python's only
  });

  test('knows its user, its names, certificates and processors', async () => {
    const user = '__import__("pwd").getpwuid(os.getuid()).pw_name';
    expect(await ask(`[${user}, os.access("/etc/nsswitch.conf", os.R_OK)]`)).toEqual(['davit', true]);
    const names = '[socket.gethostbyname(n) for n in ("localhost", socket.gethostname())]';
    expect(await attempt(names)).toEqual(["['127.0.0.1', '127.0.0.1']"]);
    const folders = ['/etc/ssl/certs', '/sys/devices/system/cpu'].filter((folder) => existsSync(folder));
    expect(await ask(`[os.path.isdir(f) for f in ${JSON.stringify(folders)}]`)).toEqual(folders.map(() => true));
  });

  test('gets no descriptor that was left open for Davit, and can fill no folder without a limit', async () => {
    const code =
      'import json, os; print(json.dumps([os.readlink(f"/proc/self/fd/{n}") for n in range(3, 64) if os.path.exists(f"/proc/self/fd/{n}")]))';
    const script = `const { runUntrusted } = await import(${JSON.stringify(codePath('sandbox', 'run-untrusted.ts'))});
      const ran = await runUntrusted(JSON.parse(process.argv[1]), JSON.parse(process.argv[2]));
      console.log(ran.stdout);`;
    const program = { command: [python.executable, '-I', '-c', code], env: {}, path: [], readable: [python.folder], limits: LIMITS }; // prettier-ignore
    const node = [
      process.execPath,
      '--input-type=module',
      '-e',
      script,
      JSON.stringify(program),
      JSON.stringify(sandbox),
    ];
    const said = execFileSync('/bin/sh', ['-c', 'exec 9</etc/hostname 5</etc/hostname; exec "$@"', 'sh', ...node]);
    expect((JSON.parse(String(said)) as string[]).filter((path) => path !== '/dev/null')).toEqual([]);
    const writable =
      'json.dumps([d for d, _, _ in os.walk("/") if os.access(d, os.W_OK) and not d.startswith("/proc")])';
    expect((await run(`import json, os; print(${writable})`)).stdout.trim()).toBe('["/tmp", "/dev/pts", "/dev/shm"]'.replace(sandbox?.user === 'other' ? '"/dev/pts", ' : '', '')); // prettier-ignore
  });

  test('keeps its environment off every command line', async () => {
    const lines = run('import time; print("there", flush=True); time.sleep(1)', {
      env: { PASSWORD: 'never-on-a-command-line' },
      onLine: () => void listed.push(...readCommandLines()),
    });
    const listed: string[] = [];
    await lines;
    expect(listed.filter((l) => l.includes('bwrap')).length).toBeGreaterThan(0);
    expect(listed.filter((l) => l.includes('never-on-a-command-line'))).toEqual([]);
  });

  test('reads private files of the model that it is about, and only those', async () => {
    const model = await mkdtemp(join(tmpdir(), 'davit-model-'));
    await mkdir(join(model, 'data'), { mode: 0o700 });
    await writeFile(join(model, 'data', 'weights'), 'private', { mode: 0o600 });
    await chmod(model, 0o700);
    expect(await ask(`open(${JSON.stringify(join(model, 'data', 'weights'))}).read()`, { data: [model] })).toBe(
      'private',
    );
    expect((await readFile(join(model, 'data', 'weights'))).toString()).toBe('private');
  });
});

/** The buffers of sockets belong to no process. */
const FILL_SOCKETS = `
import socket, time
kept = []
for _ in range(1500):
    kept.append(socket.socketpair())
    kept[-1][0].setblocking(False)
    try:
        while True: kept[-1][0].send(bytes(65536))
    except BlockingIOError: pass
time.sleep(60)`;

const EXCEEDING: readonly (readonly [string, string, Partial<UntrustedProgram['limits']>, string])[] = [
  ['memory of one process', 'x = []\nwhile True: x.append(bytearray(1 << 20))', {}, 'memory'],
  [
    'memory of all its processes',
    'import os, time\nfor _ in range(4):\n  if os.fork() == 0:\n    x = [bytearray(1 << 20) for _ in range(150)]; time.sleep(60)\ntime.sleep(60)',
    {},
    'memory',
  ],
  ...(sandbox ? [['memory of sockets', FILL_SOCKETS, { memoryBytes: 200 << 20 }, 'memory'] as const] : []),
  ['time', 'import time; time.sleep(60)', { seconds: 1 }, 'time'],
  ['output', 'while True: print("x" * 1000)', {}, 'output'],
];

describe.each(['by the kernel', 'by Davit'])('limits that are enforced %s', (by) => {
  test.each(EXCEEDING)('end a program that exceeds its %s', async (_what, code, limits, stopped) => {
    machine.hasGroups = by === 'by the kernel';
    onTestFinished(() => void (machine.hasGroups = true));
    const ran = await run(code, { limits: { ...LIMITS, ...limits } });
    expect(ran.stopped).toBe(stopped);
  });
});

test.runIf(sandbox)('files in memory are limited', async () => {
  const code = 'f = open("/tmp/x", "wb")\nfor _ in range(1000): f.write(bytes(1 << 20))';
  expect((await run(code, { limits: { ...LIMITS, memoryBytes: 1 << 30 } })).stderr).toMatch(/No space left on device/);
});
