// Kills serving and deploying processes at random moments during updates, while four clients send requests through the
// edge. Runs only with DAVIT_KILL_ROUNDS=50, because a round takes a minute and rollout-killed tests each single kill
// in every run. DAVIT_KILL_SEED=7 repeats an earlier seed: the same kinds are killed after the same pauses.
import { appendFile, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import type { LoadReport } from '../../app/send-load/load-report.ts';
import { renderLoadReport, renderFailures } from '../../app/send-load/render-load-report.ts';
import { findDeployerKind } from '../kills/deployer.ts';
import { readKillOptions, runKillRounds, type Victim, makeProcessVictim } from '../kills/kill-rounds.ts';
import { findProcesses } from '../kills/processes.ts';
import { type Prober, startProber } from '../prober/probe.ts';
import { findServingProcesses, type PodProcessKind } from './serving-processes.ts';
import { type Pod, requireSuccess, Rollouts } from './rollouts.ts';

const OPTIONS = readKillOptions(2, 15);
const CLIENTS = 4;
/** A request takes long enough that most kills of a worker hit one. */
const BODY = '{"dataframe_records": [{"seconds": 0.05}]}';
const ROUND_MILLISECONDS = 600_000;
/** Kubernetes restarts a process that is killed repeatedly with increasing delays. */
const AGAIN_MILLISECONDS = 120_000;
const isAsked = process.env['DAVIT_KILL_ROUNDS'] !== undefined && inject('shared').cluster?.kind === 'node';
const EDGE = ['davit-edge', 'davit-authorisation'].map((name) => `app.kubernetes.io/name=${name}`);
let on: Rollouts;
let prober: Prober | undefined;
/** The folder for temporary files of the processes that this test starts. */
let temporary = '';

/**
 * The requests that a killed process holds, which are the only ones that may be lost. A worker holds one request. The
 * loader ends its workers with it, and a model server its requests: at most one per client. An edge holds the
 * connection of each client. Until the cluster knows that it is gone, new connections to it are refused before anything
 * is sent. The authorisation service holds none, because Envoy sends its check to another replica. Deploying processes
 * hold none either.
 */
const HELD: Readonly<Record<PodProcessKind, { readonly answered: number; readonly broken: number }>> = {
  worker: { answered: 1, broken: 0 },
  loader: { answered: CLIENTS, broken: 0 },
  server: { answered: CLIENTS, broken: 0 },
  edge: { answered: 0, broken: CLIENTS },
  authorisation: { answered: 0, broken: 0 },
};
/** The model server that had the request has died. The request may have begun, so it was not sent again. */
const ANSWERED = ['502'];
const BROKEN = ['ECONNRESET', 'EPIPE'];

describe.runIf(isAsked)('an endpoint whose processes are killed at random', () => {
  beforeAll(async () => {
    on = await Rollouts.open('random');
    temporary = await mkdtemp(join(tmpdir(), 'davit-kills-'));
    vi.stubEnv('TMPDIR', temporary);
    await declare(0);
    await on.up();
  });

  afterAll(async () => {
    await prober?.stop();
    await on.close();
    vi.unstubAllEnvs();
    await rm(temporary, { recursive: true, force: true });
  });

  test(
    'recovers: only held requests are lost, the next update succeeds, and no file or process is left',
    async () => {
      await runKillRounds(
        {
          begin: async (round) => {
            await declare(round);
            prober = startProber({ ...on.question(), body: BODY }, { clients: CLIENTS, honourRetryAfter: true });
            await prober.round();
            return on.davit('up', on.endpoint);
          },
          findVictims,
          check: async (killed, round) => {
            // An engine whose davit was killed finishes its work. Until then it holds the stack's lock.
            await expect.poll(findDeployers, { timeout: AGAIN_MILLISECONDS, interval: 500 }).toEqual([]);
            await on.up();
            await prober!.round();
            checkAnswers(killed, await prober!.stop(), [versionOf(round - 1), versionOf(round)]);
            expect(await on.answer()).toBe(versionOf(round));
            expect(await on.previews()).toBe('no-change');
            await checkNothingLeft();
          },
        },
        OPTIONS,
      );
    },
    OPTIONS.rounds * ROUND_MILLISECONDS,
  );

  test('leaves nothing when it is taken down', async () => {
    requireSuccess(await on.davit('down', '--all'));
    const kinds = 'route,configuration,revision,poddisruptionbudget,configmap';
    await expect.poll(() => on.names(kinds), { timeout: 60_000 }).toBe(''); // owned objects are deleted later
    await checkNothingDeploys();
  });
});

const versionOf = (round: number) => `round ${round}`;

/** Every second round also has another image. */
async function declare(round: number): Promise<void> {
  const model = round % 2 === 0 ? '3' : '1';
  const file = join(on.root, 'models', 'behaves', model, 'model.py');
  if (round > 0 && model === '3') await appendFile(file, `\n# ${Date.now()}: another image\n`);
  await on.declare({ variables: { VERSION: versionOf(round) }, more: { entity_version: model } });
}

async function findVictims(): Promise<readonly Victim[]> {
  const deployers = (await findProcesses(on.root)).flatMap((found) => {
    const kind = findDeployerKind(found);
    return kind === undefined || kind === 'proof' ? [] : [makeProcessVictim(kind, found.pid)];
  });
  const pods = await Promise.all([
    on.list<Pod>('pods', on.models), // including those that drain
    ...EDGE.map((label) => on.pods(on.environment.platformNamespace, label)),
  ]);
  const parts = await findServingProcesses(pods.flat());
  return [...deployers, ...parts.map(({ kind, pid }) => makeProcessVictim(kind, pid))];
}

function checkAnswers(killed: readonly string[], report: LoadReport, versions: readonly string[]): void {
  const said = `${renderLoadReport(report)}\n${renderFailures(report)}`;
  process.stderr.write(`${said}\n`);
  const parts = killed.filter((kind): kind is PodProcessKind => Object.hasOwn(HELD, kind));
  const held = (what: 'answered' | 'broken') => parts.reduce((sum, kind) => sum + HELD[kind][what], 0);
  const came = (outcomes: readonly string[]) => outcomes.reduce((sum, o) => sum + (report.outcomes.get(o) ?? 0), 0);
  const refused = parts.includes('edge') ? came(['ECONNREFUSED']) : 0;
  expect(came(ANSWERED), said).toBeLessThanOrEqual(held('answered'));
  expect(came(BROKEN), said).toBeLessThanOrEqual(held('broken'));
  expect(report.failed, said).toBe(came(ANSWERED) + came(BROKEN) + refused);
  if (parts.length === 0) expect(report.retried, said).toBe(0); // an update alone makes no client retry
  const answers = versions.map((version) => `{"predictions": ["${version}"]}`);
  expect([...report.answers.keys()].filter((answer) => !answers.includes(answer))).toEqual([]);
}

async function checkNothingLeft(): Promise<void> {
  await checkNothingDeploys();
  expect(await on.status()).toMatchObject({ ready: 'READY', configUpdate: 'NOT_UPDATING' });
  const left = async () => {
    const pods = await on.list<Pod>('pods', on.models);
    const kinds = (await findServingProcesses(pods)).map(({ kind }) => kind);
    const configurations = await on.list<Pick<Pod, 'metadata'>>('configuration');
    const isOf = ({ metadata }: Pod) => configurations.some((c) => metadata.name.startsWith(`${c.metadata.name}-`));
    const of = (kind: PodProcessKind) => kinds.filter((k) => k === kind).length;
    return {
      configurations: configurations.length,
      others: pods.filter((pod) => !isOf(pod)).length,
      processes: [of('server') / pods.length, of('loader') / pods.length, of('worker') / pods.length],
    };
  };
  const wanted = { configurations: 1, others: 0, processes: [1, 1, 4] };
  try {
    await expect.poll(left, { timeout: AGAIN_MILLISECONDS, interval: 500 }).toEqual(wanted);
  } catch (e) {
    process.stderr.write(`${await describeObjects()}\n`);
    throw e;
  }
  for (const label of EDGE) await renew(label);
}

/** Everything that the endpoint has now, with its age, its end and the latest events. */
async function describeObjects(): Promise<string> {
  const kinds = 'configuration,revision,podautoscaler,deployment,replicaset,pod';
  const columns =
    'KIND:.kind,NAME:.metadata.name,CREATED:.metadata.creationTimestamp,ENDS:.metadata.deletionTimestamp,GRACE:.metadata.deletionGracePeriodSeconds,OWNER:.metadata.ownerReferences[*].name,WANTED:.spec.replicas,SCALE:.status.desiredScale,PHASE:.status.phase';
  const objects = await on.kubectl('get', kinds, '-n', on.models, '-l', on.label, '-o', `custom-columns=${columns}`);
  const events = await on.kubectl('get', 'events', '-n', on.models, '--sort-by=.lastTimestamp');
  return [new Date().toISOString(), objects, ...events.trimEnd().split('\n').slice(-60)].join('\n');
}

/**
 * Waits until the pods have recovered, then replaces those that were killed, because new ones start without a delay.
 */
async function renew(label: string): Promise<void> {
  const namespace = on.environment.platformNamespace;
  const isUp = () => on.isUp(namespace, label);
  await expect.poll(isUp, { timeout: AGAIN_MILLISECONDS, interval: 500 }).toBe(true);
  for (const { metadata, status } of await on.pods(namespace, label))
    if (status.containerStatuses?.some(({ restartCount }) => restartCount > 0))
      await on.kubectl('delete', 'pod', metadata.name, '-n', namespace, '--wait=false');
  await expect.poll(isUp, { timeout: AGAIN_MILLISECONDS, interval: 500 }).toBe(true);
}

/** No process of an update runs, and no lock, unfinished file or temporary file of it is left. */
async function checkNothingDeploys(): Promise<void> {
  await expect.poll(() => findProcesses(on.root), { timeout: AGAIN_MILLISECONDS, interval: 500 }).toEqual([]);
  const files = await readdir(join(on.root, '.davit'), { recursive: true });
  expect(files.filter((name) => /\/locks\/.*\.json$|\/davit-holders\/.|\.new$|^in-use\./.test(name))).toEqual([]);
  expect(await readdir(temporary)).toEqual([]);
}

async function findDeployers(): Promise<readonly string[]> {
  return (await findProcesses(on.root)).flatMap((found) => findDeployerKind(found) ?? []);
}
