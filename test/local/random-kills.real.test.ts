// Kills processes of the local target at random moments during updates, while four clients send requests. Runs two
// rounds by default; DAVIT_KILL_ROUNDS=100 runs more. DAVIT_KILL_SEED=7 repeats an earlier seed: the same kinds are
// killed after the same pauses.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, realpath, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openLocalTarget } from '../../app/targets/local-target.ts';
import { connectSupervisor } from '../../local/supervisor/start-supervisor.ts';
import { makeWorkingProject } from '../cli/working-project.ts';
import { findDeployerKind } from '../kills/deployer.ts';
import { readKillOptions, runKillRounds, type Victim, makeProcessVictim } from '../kills/kill-rounds.ts';
import { findProcesses, type ProcessInfo } from '../kills/processes.ts';
import { startProber } from '../prober/probe.ts';
import { waitUntil } from './local-project.ts';

const CODE = dirname(dirname(import.meta.dirname));
const MAIN = join(CODE, 'cli', 'main.ts');
const EXAMPLE = join(CODE, 'models/iris/1/serving_input_example.json');
const OPTIONS = readKillOptions(2, 15);
const CLIENTS = 4;
const ROUND_MILLISECONDS = 300_000;
/** The most requests that a killed process may hold. All workers of a loader or a server end with it. */
const HELD: Readonly<Record<string, number>> = { worker: 1, loader: CLIENTS, server: CLIENTS };
let root = '';
let remove: () => Promise<void>;
let token = '';
let host = '';

beforeAll(async () => {
  ({ root, remove } = await makeWorkingProject({
    'iris/1': join(CODE, 'test/fixtures/models/p_flowers_1'),
    'iris/2': join(CODE, 'test/fixtures/models/p_flowers_2'),
  }));
  root = await realpath(root);
  await declare(1);
  await davit('lock');
  const up = JSON.parse((await davit('up', '--json')).stdout) as { result: { token: string; host: string } };
  ({ token, host } = up.result);
});
afterAll(async () => {
  await davit('down', '--all');
  expect((await findProcesses(root)).map(render)).toEqual([]);
  expect(await readdir(root)).not.toContain('.davit');
  await remove();
});

it(
  'recovers from every kill: only held requests are lost, the next update succeeds, and no file or process is left',
  async () => {
    let prober = probe();
    await runKillRounds(
      {
        begin: async (round) => {
          prober = probe();
          await prober.round();
          await declare(1 + (round % 2));
          await davit('lock');
          return davit('up');
        },
        findVictims: async () => (await findKnown()).flatMap(makeVictim),
        check: async (killed) => {
          // An engine whose davit was killed finishes its work. Until then it holds the stack's lock.
          await waitUntil(findDeployers, (kinds) => kinds.length === 0, 120);
          await davit('lock'); // this process too was killed in some rounds
          const up = await davit('up');
          expect(up.code, up.stderr).toBe(0);
          await prober.round();
          checkAnswers(killed, await prober.stop());
          const preview = JSON.parse((await davit('preview', '--json')).stdout) as object;
          expect(preview).toMatchObject({ result: { endpoints: [{ plan: { verdict: { kind: 'no-change' } } }] } });
          await checkNothingLeft();
        },
      },
      OPTIONS,
    );
  },
  OPTIONS.rounds * ROUND_MILLISECONDS,
);

function probe() {
  const url = `${host}/serving-endpoints/iris/invocations`;
  const body =
    '{"dataframe_split": {"columns": ["sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)"], "data": [[5.1, 3.5, 1.4, 0.2]]}}';
  return startProber({ url, headers: { authorization: `Bearer ${token}` }, body }, { clients: CLIENTS });
}

/** Without its supervisor, the gateway refuses or resets connections. Otherwise only held requests may be lost. */
function checkAnswers(
  killed: readonly string[],
  { outcomes, failures }: Awaited<ReturnType<ReturnType<typeof probe>['stop']>>,
) {
  const said = JSON.stringify({ outcomes: [...outcomes], failures: failures.slice(0, 5) });
  const held = killed.reduce((sum, kind) => sum + (HELD[kind] ?? 0), 0);
  expect(outcomes.get('200') ?? 0, said).toBeGreaterThan(0);
  expect(outcomes.get('502') ?? 0, said).toBeLessThanOrEqual(held);
  const lost = [...outcomes.keys()].filter((o) => o !== '200' && o !== '502');
  const allowed = killed.includes('supervisor') ? ['ECONNREFUSED', 'ECONNRESET', 'EPIPE'] : [];
  expect(
    lost.filter((o) => !allowed.includes(o)),
    said,
  ).toEqual([]);
}

async function checkNothingLeft(): Promise<void> {
  const client = await connectSupervisor(root, 'local');
  const status = await waitUntil(
    () => client!.status(),
    ({ revisions }) => revisions.length === 1 && revisions[0]!.replicas.every((r) => r.state === 'ready'),
  );
  const servers = status.revisions[0]!.replicas.length;
  const wanted = ['keeper', ...Array<string>(servers).fill('server'), 'supervisor'];
  await waitUntil(
    async () =>
      (await findKnown())
        .map(({ kind }) => kind)
        .filter((kind) => kind !== 'worker' && kind !== 'loader')
        .sort(),
    (kinds) => JSON.stringify(kinds) === JSON.stringify(wanted),
    30,
  );
  const folder = join(root, '.davit', 'environments', 'local');
  const { socketPath } = JSON.parse(await readFile(join(folder, 'control.json'), 'utf8')) as { socketPath: string };
  expect(await readdir(dirname(socketPath))).toHaveLength(1 + servers);
  const sockets = dirname(dirname(socketPath));
  const mine = (await readdir(sockets)).filter((name) => name.startsWith(basename(dirname(socketPath)).slice(0, -6)));
  expect(mine).toHaveLength(1);
  expect(await readdir(join(folder, 'revisions'))).toEqual([status.revisions[0]!.name]);
  const locks = (await readdir(join(root, '.davit'), { recursive: true })).filter((name) =>
    /\/locks\/.*\.json$|\.starting|\/binding$|\.clearing|state\.json$|\.new$|^in-use\./.test(name),
  );
  expect(locks).toEqual([]);
  expect(
    (
      await (
        await openLocalTarget(root, 'local').connect()
      ).query({
        endpoint: 'iris',
        entity: undefined,
        body: await readFile(EXAMPLE, 'utf8'),
        contentType: 'application/json',
      })
    ).status,
  ).toBe(200);
}

const KINDS: readonly (readonly [string, string])[] = [
  ['supervisor', 'local/supervisor/supervisor.ts'],
  ['keeper', 'local/supervisor/keeper.ts'],
  ['server', '-m davit_server '],
  ['worker', 'davit_server'],
];

interface KnownProcess {
  readonly pid: number;
  readonly kind: string;
}

/** Finds the project's processes. A loader has the same command line as its workers, but its parent is a server. */
async function findKnown(): Promise<readonly KnownProcess[]> {
  const found = await findProcesses(root);
  const kinds = new Map(found.map((p) => [p.pid, kindOf(p)]));
  return found.map(({ pid, parent }) => {
    const kind = kinds.get(pid)!;
    return { pid, kind: kind === 'worker' && kinds.get(parent) === 'server' ? 'loader' : kind };
  });
}

function kindOf(found: ProcessInfo): string {
  const line = found.command.join(' ');
  return findDeployerKind(found) ?? KINDS.find(([, part]) => line.includes(part))?.[0] ?? 'other';
}

async function findDeployers(): Promise<readonly string[]> {
  return (await findProcesses(root)).flatMap((p) => findDeployerKind(p) ?? []);
}

function makeVictim({ pid, kind }: KnownProcess): readonly Victim[] {
  if (kind === 'other' || kind === 'proof') return [];
  return [makeProcessVictim(kind, pid)];
}

function render({ pid, command }: ProcessInfo): string {
  return `${pid} ${command.join(' ')}`;
}

async function declare(version: number): Promise<void> {
  const text = `name: iris\nconfig:\n  served_entities:\n    - name: iris\n      entity_name: iris\n      entity_version: "${version}"\n`;
  await writeFile(join(root, 'endpoints', 'iris.yaml'), text);
}

async function davit(...args: readonly string[]) {
  const child: ChildProcess = spawn(process.execPath, [MAIN, ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { stdout: '', stderr: '' };
  child.stdout!.on('data', (d: Buffer) => (said.stdout += String(d)));
  child.stderr!.on('data', (d: Buffer) => (said.stderr += String(d)));
  const [code] = (await once(child, 'exit')) as [number | null];
  return { code, ...said };
}
