import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { sendLoad } from '../../app/send-load/send-load.ts';
import { openLocalTarget } from '../../app/targets/local-target.ts';
import { isAlive } from '../../system/is-alive.ts';
import { lockProject } from './lock-project.ts';
import { runDavit } from './run-davit.ts';
import { makeWorkingProject } from './working-project.ts';

const CODE = dirname(dirname(import.meta.dirname));
const MAIN = join(CODE, 'cli', 'main.ts');
/** Leaves the processors to what is deployed. */
const PAUSE = { pauseMilliseconds: 20 };
let root = '';
let remove: () => Promise<void>;

beforeAll(async () => {
  ({ root, remove } = await makeWorkingProject({
    'iris/1': join(CODE, 'test/fixtures/models/p_flowers_1'),
    'iris/2': join(CODE, 'test/fixtures/models/p_flowers_2'),
    'bad/import': join(CODE, 'test/fixtures/models/d2_missing_code'),
    'bad/raises': join(CODE, 'test/fixtures/models/h_raises'),
  }));
});
afterAll(async () => {
  await davit('down', '--all');
  await remove();
});

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(...args: readonly string[]): { readonly child: ChildProcess; readonly ran: Promise<Ran> } {
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const said = { stdout: '', stderr: '' };
  child.stdout.on('data', (d: Buffer) => (said.stdout += String(d)));
  child.stderr.on('data', (d: Buffer) => (said.stderr += String(d)));
  return { child, ran: once(child, 'close').then(([code]) => ({ code: code as number | null, ...said })) };
}

/** `davit` in this process. The first deployment, and what a signal ends, is a process of its own. */
async function davit(...args: readonly string[]): Promise<Ran> {
  const { status, ...printed } = await runDavit(root, ...args);
  return { code: status, ...printed };
}

async function declare(model: string, version: string) {
  const text = `name: iris\nconfig:\n  served_entities:\n    - name: iris\n      entity_name: ${model}\n      entity_version: "${version}"\n`;
  await writeFile(join(root, 'endpoints', 'iris.yaml'), text);
}

const EXAMPLE = join(CODE, 'models/iris/1/serving_input_example.json');

async function ask() {
  const connection = await openLocalTarget(root, 'local').connect();
  const body = await readFile(EXAMPLE, 'utf8');
  return () => connection.query({ endpoint: 'iris', entity: undefined, body, contentType: 'application/json' });
}

const FIRST = '{"predictions": [0, 1, 2]}';
const SECOND = '{"predictions": ["setosa", "versicolor", "virginica"]}';

describe('davit', () => {
  it('deploys the first version, shows a token once, and answers', async () => {
    await declare('iris', '1');
    expect(await start('lock').ran).toMatchObject({ code: 0 });
    const preview = await start('preview', '--json').ran;
    expect(JSON.parse(preview.stdout)).toMatchObject({
      diagnostics: [],
      result: { endpoints: [{ endpoint: 'iris', plan: { verdict: { kind: 'create' }, counts: { create: 2 } } }] },
    });
    const first = JSON.parse((await start('up', '--json').ran).stdout) as { result: { token: string; host: string } };
    expect(first.result.token).toMatch(/^davit_/);
    const again = JSON.parse((await start('up', '--json').ran).stdout) as {
      result: { token: null; endpoints: unknown };
    };
    expect(again.result).toMatchObject({ token: null, endpoints: [{ plan: { verdict: { kind: 'no-change' } } }] });
    expect(await start('query', 'iris', '--data', `@${EXAMPLE}`).ran).toMatchObject({ code: 0, stdout: `${FIRST}\n` });

    const url = `${first.result.host}/serving-endpoints/iris/invocations`;
    const body = await readFile(EXAMPLE, 'utf8');
    const headers = { authorization: `Bearer ${first.result.token}`, 'content-type': 'application/json' };
    expect((await fetch(url, { method: 'POST', headers, body })).status).toBe(200);
    const everything = await Promise.all((await listFiles(join(root, '.davit'))).map((f) => readFile(f, 'utf8')));
    expect(everything.some((text) => text.includes(first.result.token))).toBe(false);
  });

  it('refuses versions that cannot be imported or that raise, each on its line, while the old one answers', async () => {
    const clients = sendLoad(await ask(), 2, PAUSE);
    const bad = { import: 'import-failed', raises: 'prediction-failed' };
    const entities = Object.keys(bad).map(
      (version) => `    - name: ${version}\n      entity_name: bad\n      entity_version: ${version}\n`,
    );
    const shares = Object.keys(bad).map(
      (version, i) => `      - { served_entity_name: ${version}, traffic_percentage: ${i === 0 ? 100 : 0} }\n`,
    );
    const config = `  served_entities:\n${entities.join('')}  traffic_config:\n    routes:\n${shares.join('')}`;
    await writeFile(join(root, 'endpoints', 'iris.yaml'), `name: iris\nconfig:\n${config}`);
    await lockProject(root);
    const refused = await davit('up', '--json');
    clients.stop();
    const asked = await clients.done;
    expect(refused.code).toBe(1);
    expect(JSON.parse(refused.stdout)).toMatchObject({
      diagnostics: Object.values(bad).map((code, i) => ({
        ...{ code, severity: 'error', file: 'endpoints/iris.yaml', line: 4 + 3 * i, column: 7 },
      })),
      result: { endpoints: [{ endpoint: 'iris', url: null }] },
    });
    expect({ failed: asked.failed, answers: [...asked.answers.keys()] }).toEqual({ failed: 0, answers: [FIRST] });
  });

  it('refuses a stale lock, and a model that changed after it was locked', async () => {
    await declare('iris', '1');
    await lockProject(root);
    await declare('iris', '2');
    const stale = await davit('up');
    expect(stale).toMatchObject({ code: 1, stdout: expect.stringContaining('not deployed') as string });
    expect(stale.stderr).toContain('endpoints/iris.yaml:4:7 error lock-stale');
    expect(await davit('preview')).toMatchObject({ code: 1 });
  });

  it('fails a revision that plain Pulumi deploys and that does not start, and leaves the old one alone', async () => {
    await declare('bad', 'raises');
    await lockProject(root);
    const { stdout } = await davit('env');
    const script = `${stdout}\npulumi up --yes --skip-preview -s iris.local`;
    const child = spawn('bash', ['-c', script], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    child.stdout.on('data', (d: Buffer) => (said += String(d)));
    const [code] = (await once(child, 'close')) as [number];
    expect(code).not.toBe(0);
    expect(said).toContain('boom: unseen category');
    expect(await davit('status')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/iris {2}READY {2}UPDATE_FAILED/) as string,
    });
    expect((await (await ask())()).body.trim()).toBe(FIRST);
  });

  it('then updates to a good version without a failed request', async () => {
    await declare('iris', '2');
    await lockProject(root);
    const clients = sendLoad(await ask(), 4, PAUSE);
    const updated = await davit('up', '--json');
    clients.stop();
    const asked = await clients.done;
    expect(updated.code).toBe(0);
    expect(JSON.parse(updated.stdout)).toMatchObject({
      result: { endpoints: [{ plan: { verdict: { kind: 'rolling-update' } } }] },
    });
    expect({ failed: asked.failed, answers: [...asked.answers.keys()].map((a) => a.trim()) }).toEqual({
      failed: 0,
      answers: [FIRST, SECOND],
    });
    expect(await davit('status')).toMatchObject({
      stdout: expect.stringMatching(
        /iris {2}READY {2}NOT_UPDATING[^]*\n {4}loaded once, shared by 4 workers/,
      ) as string,
    });
  });

  it('goes on after an update was killed, and says who is at it while one runs', async () => {
    await declare('iris', '1');
    await lockProject(root);
    const killed = start('up');
    await vi.waitFor(() => expect(isUpdating()).resolves.toBe(true), { timeout: 60_000, interval: 50 });
    const second = await davit('up');
    expect(second.code).toBe(3);
    expect(second.stderr).toMatch(
      /Cannot change "iris.local": it is locked by process \d+ of \S+ on \S+ since \S+; wait/,
    );
    process.kill(-(killed.child.pid ?? 0), 'SIGKILL');
    await killed.ran;
    expect((await (await ask())()).status).toBe(200);
    await vi.waitFor(async () => expect(await davit('up')).toMatchObject({ code: 0 }), {
      timeout: 120_000,
      interval: 1000,
    });
    expect((await (await ask())()).body.trim()).toBe(FIRST);
  });

  it('stops at a safe point for one who ends the whole group of processes, and signals twice', async () => {
    await declare('iris', '2');
    await lockProject(root);
    const stopped = start('up');
    await vi.waitFor(() => expect(isUpdating()).resolves.toBe(true), { timeout: 60_000, interval: 50 });
    for (let n = 0; n < 2; n++) stopped.child.kill('SIGTERM');
    const { code, stderr } = await stopped.ran;
    expect({ code, last: stderr.trimEnd().split('\n').at(-1) }).toEqual({
      code: 143,
      last: 'Stopped: completed changes are kept, and the same command continues from there',
    });
    expect(await listFiles(join(root, '.davit/pulumi/.pulumi/locks'))).toEqual([]);
    expect((await (await ask())()).status).toBe(200);
    await declare('iris', '1');
    await lockProject(root);
    expect(await davit('up')).toMatchObject({ code: 0 });
  });

  it('does not say of a preview that was stopped that it is done', async () => {
    const stopped = start('preview');
    let said = '';
    stopped.child.stderr?.on('data', (d: Buffer) => (said += String(d)));
    await vi.waitFor(() => expect(said).toContain('Previewing iris.local'), { timeout: 60_000, interval: 20 });
    stopped.child.kill('SIGINT');
    const { code, stderr } = await stopped.ran;
    expect({ code, done: stderr.includes('done in') }).toEqual({ code: 130, done: false });
  });

  it('deploys again what somebody has removed by hand, and says so in the preview', async () => {
    const environment = join(root, '.davit/environments/local');
    await rm(environment, { recursive: true });
    expect(await davit('preview')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('+ Route iris') as string,
    });
    expect(await davit('up')).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('Deployed before, but parts of it are gone') as string,
    });
    expect((await (await ask())()).body.trim()).toBe(FIRST);
  });

  it('goes down without leaving anything', async () => {
    const status = await readFile(join(root, '.davit/environments/local/supervisor.json'), 'utf8');
    expect(status).not.toBe('');
    expect(await davit('down', 'iris')).toMatchObject({ code: 0, stdout: 'iris: down\n' });
    expect(await readdir(root)).not.toContain('.davit');
    expect(await davit('status', 'iris')).toMatchObject({ code: 1 });
  });
});

/** Whether an update of this project holds the state. */
async function isUpdating(): Promise<boolean> {
  const folder = join(root, '.davit/pulumi/.pulumi/locks/organization/davit/iris.local');
  const [file] = await readdir(folder).catch(() => []);
  if (file === undefined) return false;
  const { pid } = JSON.parse(await readFile(join(folder, file), 'utf8')) as { pid: number };
  return isAlive(pid);
}

async function listFiles(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((e) => e.isFile()).map((e) => join(e.parentPath, e.name));
}
