import { cp, mkdtemp, readdir, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ControlClient } from '../../local/control/control-client.ts';
import type { PutRevisionRequest, PutRouteRequest } from '../../local/control/control-protocol.ts';
import { connectSupervisor, ensureSupervisor, waitForEnd } from '../../local/supervisor/start-supervisor.ts';
import { parseLock } from '../../schemas/lock/lock.ts';
import { revisionName } from '../../schemas/values/names.ts';
import { digestModel } from '../../system/model-digest.ts';

const HERE = import.meta.dirname;
const ROOT = join(HERE, '..', '..');

/** A project in a new folder. */
export interface Project {
  readonly root: string;
  readonly remove: () => Promise<void>;
}

export async function makeProject(): Promise<Project> {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'davit-project-')));
  return { root, remove: () => rm(root, { recursive: true, force: true }) };
}

/** A project with a running supervisor, and a token for its gateway. */
export interface SupervisedProject {
  readonly project: Project;
  readonly client: ControlClient;
  readonly token: string;
}

export async function superviseProject(): Promise<SupervisedProject> {
  const project = await makeProject();
  const client = await ensureSupervisor(project.root, 'local');
  return { project, client, token: await client.makeToken() };
}

/** Ends the supervisor if it still runs, and removes the project. Returns processes that still run. */
export async function endProject(project: Project): Promise<readonly string[]> {
  const running = await connectSupervisor(project.root, 'local');
  const status = await running?.status();
  await running?.stop();
  if (status) await waitForEnd(status);
  const left = await listProjectProcesses(project);
  await project.remove();
  return left;
}

/** Makes a revision and routes all requests of its endpoint to it. */
export async function serve({ project, client }: SupervisedProject, wish: RevisionOptions = {}) {
  const put = await makeRevisionRequest(project, wish);
  await client.putRevision(put);
  const { url } = await client.putRoute(makeRoute(put));
  return { put, url };
}

export interface RevisionOptions {
  readonly endpoint?: string;
  readonly entity?: string;
  /** A folder of test/fixtures/models, or `iris/1`. */
  readonly model?: string;
  readonly workers?: number;
  readonly min?: number;
  readonly max?: number;
  readonly scaleToZero?: boolean;
  readonly timeLimitSeconds?: number;
  readonly idleSeconds?: number;
  readonly scaleDownSeconds?: number;
  readonly environmentVars?: Readonly<Record<string, string>>;
  /** Packages of the example's virtualenv that the model does not need. Default: none is left out. */
  readonly without?: readonly string[];
}

/** Makes a request for a revision of a model that is copied into the project, with the example's virtualenv. */
export async function makeRevisionRequest({ root }: Project, wish: RevisionOptions = {}): Promise<PutRevisionRequest> {
  const {
    endpoint = 'obedient',
    entity = 'obedient-1',
    model = 'm_obedient',
    workers = 2,
    environmentVars = {},
    without = [],
  } = wish;
  const source = model.startsWith('iris/')
    ? join(ROOT, 'models', model)
    : join(HERE, '..', 'fixtures', 'models', model);
  const modelDirectory = join(root, 'models', entity, model);
  await cp(source, modelDirectory, { recursive: true });
  const text = await readFile(join(ROOT, 'endpoints', 'iris.lock'), 'utf8');
  const [[key, virtualenv] = []] = Object.entries(parseLock(text, 'endpoints/iris.lock').lock!.virtualenvs);
  const packages = virtualenv!.packages.filter(({ name }) => !without.includes(name));
  const content = {
    endpoint,
    entity,
    model: { name: model, version: '1', uri: undefined, digest: await digestModel(modelDirectory) },
    virtualenv: key!,
    environmentVars,
    workers,
    timeLimitSeconds: wish.timeLimitSeconds ?? 30,
  };
  const { min = workers, max = workers, scaleToZero = false } = wish;
  return {
    revision: { name: revisionName(entity, content), ...content, bounds: { min, max, scaleToZero } },
    autoscaling: { idleSeconds: wish.idleSeconds ?? 1800, scaleDownSeconds: wish.scaleDownSeconds ?? 300 },
    virtualenv: { ...virtualenv!, packages },
    modelDirectory,
  };
}

export function makeRoute(put: PutRevisionRequest, more: Partial<PutRouteRequest> = {}): PutRouteRequest {
  const { endpoint, entity, name } = put.revision;
  const entities = [{ name: entity, revision: name, trafficPercentage: 100 }];
  return { endpoint, description: '', tags: [], entities, gateway: {}, ...more };
}

/** The input that makes the obedient model do something. */
export function makeObedientInput(what: string, seconds = 0) {
  return { dataframe_split: { columns: ['do', 'seconds'], data: [[what, seconds]] } };
}

/** Lists the processes whose command line names the project, including zombies. */
export async function listProjectProcesses({ root }: Project): Promise<readonly string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const lines = await Promise.all(
    pids.map(async (pid) => `${pid} ${await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')}`),
  );
  return lines.filter((line) => line.includes(root)).map((line) => line.replaceAll('\0', ' '));
}

/** Waits until `look` returns a good value. Throws an Error with the last value if it does not in time. */
export async function waitUntil<T>(look: () => Promise<T>, good: (found: T) => boolean, seconds = 60): Promise<T> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const found = await look();
    if (good(found)) return found;
    if (Date.now() > end)
      throw new Error(`Cannot wait longer than ${seconds} s: the last value is ${JSON.stringify(found)}`);
    await sleep(20);
  }
}
