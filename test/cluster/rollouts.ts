import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, inject } from 'vitest';
import { stringify } from 'yaml';
import type { LoadReport } from '../../app/send-load/load-report.ts';
import { renderLoadReport, renderFailures } from '../../app/send-load/render-load-report.ts';
import type { DescribedEndpoint } from '../../kubernetes/diagnosis/describe-endpoints.ts';
import { findKubectl } from '../../cluster/go-programs.ts';
import { type KubectlConnection, kubectl } from '../../cluster/kubectl.ts';
import type { KubernetesEnvironment } from '../../schemas/environment/environment.ts';
import { ENDPOINT_LABEL, endpointObjectName } from '../../schemas/environment/kubernetes-names.ts';
import { readEnvironment } from '../../schemas/read-project.ts';
import { lockProject } from '../cli/lock-project.ts';
import { makeWorkingProject } from '../cli/working-project.ts';
import { queryEndpoint, type ProbeResponse } from '../prober/query-endpoint.ts';
import type { ProbeRequest } from '../prober/probe-client.ts';
import { expectNoFailure, probeDuring, type ProbeOptions } from '../prober/probe.ts';
import { type DavitRun, runDavit } from './run-davit.ts';

const TEST_MODEL = join(import.meta.dirname, '..', 'fixtures', 'models', 'o_environment');
const BODY = '{"dataframe_records": [{"seconds": 0}]}';
/** The cluster and the deployers share the CPU with the clients, so the clients pause to leave them most of it. */
const PAUSE = { pauseMilliseconds: 60 };

interface DeclarationOptions {
  readonly variables?: Readonly<Record<string, string>>;
  /** Further fields of its only entity. */
  readonly more?: Readonly<Record<string, unknown>>;
  readonly rollout?: 'recreate';
  /** Time limit of a prediction. */
  readonly seconds?: number;
  /** Further fields of the file's `davit`. */
  readonly davit?: Readonly<Record<string, unknown>>;
}

interface RolloutLoadOptions extends ProbeOptions {
  /** The body of the requests. */
  readonly body?: string;
}

/**
 * One project with one endpoint on the shared cluster, and operations on them. The model's behaviour depends on its
 * variables.
 */
export class Rollouts {
  readonly endpoint: string;
  readonly root: string;
  readonly environment: KubernetesEnvironment;
  readonly to: KubectlConnection;
  readonly host: string;
  readonly token: string;

  private constructor(parts: Pick<Rollouts, 'endpoint' | 'root' | 'environment' | 'to' | 'host' | 'token'>) {
    this.endpoint = parts.endpoint;
    this.root = parts.root;
    this.environment = parts.environment;
    this.to = parts.to;
    this.host = parts.host;
    this.token = parts.token;
  }

  /** Opens a separate project for each endpoint, so that test files can run at the same time. */
  static async open(endpoint: string): Promise<Rollouts> {
    const { environment, to, text } = await openPlatform();
    const { root } = await makeWorkingProject(
      Object.fromEntries(['1', '2', '3'].map((version) => [`behaves/${version}`, TEST_MODEL])),
    );
    await writeFile(join(root, 'environments', `${environment.name}.yaml`), text);
    const ran = requireSuccess(await runDavit(root, ['token', '--environment', environment.name, '--json']));
    const { result } = JSON.parse(ran.stdout) as { readonly result: { readonly host: string; readonly token: string } };
    return new Rollouts({ endpoint, root, environment, to, ...result });
  }

  /** Takes the endpoint down and removes the project. */
  async close(): Promise<void> {
    requireSuccess(await this.davit('down', '--all'));
    await rm(this.root, { recursive: true });
  }

  get models(): string {
    return this.environment.namespace;
  }

  /** The label of all objects of the endpoint. */
  get label(): string {
    return `${ENDPOINT_LABEL}=${endpointObjectName(this.endpoint)}`;
  }

  davit(...args: readonly string[]): Promise<DavitRun> {
    return runDavit(this.root, [...args, '--environment', this.environment.name]);
  }

  /** Runs davit; `hear` receives each part of its output, and the process id. */
  davitHeard(args: readonly string[], hear: (text: string, pid: number) => void): Promise<DavitRun> {
    const whole = [...args, '--environment', this.environment.name];
    return runDavit(this.root, whole, (text, { pid = 0 }) => hear(text, pid));
  }

  async up(): Promise<DavitRun> {
    return requireSuccess(await this.davit('up', this.endpoint));
  }

  /** Writes the endpoint with one entity, and its lock. */
  declare({ variables = {}, more = {}, rollout, seconds, davit: own = {} }: DeclarationOptions): Promise<void> {
    const entity = { ...makeEntity(this.endpoint, variables), ...more };
    const davit = {
      ...own,
      ...(rollout !== undefined && { rollout }),
      ...(seconds !== undefined && { served_entities: { [this.endpoint]: { time_limit_seconds: seconds } } }),
    };
    return this.#write({ name: this.endpoint, config: { served_entities: [entity] }, davit });
  }

  /** Writes the endpoint with several entities; the shares are in the same order. */
  declareShared(entities: readonly { readonly name: string }[], shares: readonly number[]): Promise<void> {
    const routes = entities.map(({ name }, i) => ({ served_entity_name: name, traffic_percentage: shares[i] }));
    return this.#write({ name: this.endpoint, config: { served_entities: entities, traffic_config: { routes } } });
  }

  async #write(endpoint: unknown): Promise<void> {
    await writeFile(join(this.root, 'endpoints', `${this.endpoint}.yaml`), stringify(endpoint));
    await lockProject(this.root, this.endpoint);
  }

  /** The request that eight clients send. */
  question(entity?: string): ProbeRequest {
    const path = entity === undefined ? '' : `/served-models/${entity}`;
    return {
      url: `${this.host}/serving-endpoints/${this.endpoint}${path}/invocations`,
      headers: { authorization: `Bearer ${this.token}` },
      body: BODY,
    };
  }

  query(token = this.token, entity?: string): Promise<ProbeResponse> {
    return queryEndpoint(this.question(entity).url, token, BODY);
  }

  /** The answer of the model. */
  async answer(): Promise<string> {
    const { status, body } = await this.query();
    return status === 200 ? ((JSON.parse(body) as { predictions: string[] }).predictions[0] ?? '') : body;
  }

  /** Runs an operation while eight clients send requests, and expects that none of them fails. */
  async underLoad<T>(what: string, operate: () => Promise<T>, options: RolloutLoadOptions = {}): Promise<T> {
    const { result, report } = await this.watch(what, operate, options);
    expectNoFailure(report);
    return result;
  }

  /** Runs an operation while eight clients send requests, and returns their results. */
  async watch<T>(what: string, operate: () => Promise<T>, { body = BODY, ...options }: RolloutLoadOptions = {}) {
    const began = performance.now();
    const probed = await probeDuring({ ...this.question(), body }, operate, { ...PAUSE, ...options });
    printLoad(`${what} (${((performance.now() - began) / 1000).toFixed(1)} s)`, probed.report);
    return probed;
  }

  /** Runs an update while eight clients send requests, and expects answers of `version` afterwards. */
  async updates(what: string, version: string): Promise<DavitRun> {
    const ran = await this.underLoad(what, () => this.davit('up', this.endpoint));
    requireSuccess(ran);
    expect(await this.answer()).toBe(version);
    return ran;
  }

  /** Runs an update that must fail with a diagnostic, and expects that the previous version keeps serving. */
  async fails(what: string, hear: (text: string) => void = () => undefined): Promise<DavitRun> {
    const before = await this.answer();
    const route = await this.readRoute();
    const shown = await this.underLoad(what, () => this.davitHeard(['up', this.endpoint], hear));
    process.stderr.write(`${shown.stderr.slice(Math.max(0, shown.stderr.indexOf('endpoints/')))}\n`);
    expect(`${shown.code ?? ''}\n${shown.stderr}`).toMatch(/^1\n/);
    expect(shown.stdout).toContain('not deployed; any previous version keeps serving');
    expect(await this.answer()).toBe(before);
    expect(await this.readRoute()).toEqual(route);
    return shown;
  }

  /** The verdict of a preview, such as `no-change`. */
  async previews(): Promise<string> {
    const { result } = JSON.parse(requireSuccess(await this.davit('preview', this.endpoint, '--json')).stdout) as {
      readonly result: { readonly endpoints: readonly { readonly plan: { readonly verdict: { kind: string } } }[] };
    };
    return result.endpoints[0]?.plan.verdict.kind ?? '';
  }

  async status(): Promise<DescribedEndpoint> {
    const { result } = JSON.parse((await this.davit('status', '--json')).stdout) as {
      readonly result: { readonly endpoints: readonly DescribedEndpoint[] };
    };
    const found = result.endpoints.find(({ name }) => name === this.endpoint);
    if (found) return found;
    throw new Error(`Cannot find "${this.endpoint}" in ${JSON.stringify(result)}`);
  }

  async revision(): Promise<string | undefined> {
    return (await this.status()).entities[0]?.revision;
  }

  async readRoute(): Promise<unknown> {
    return (await this.list<{ readonly spec: unknown }>('route')).at(0)?.spec;
  }

  /** Pods that are not being deleted, sorted by name. */
  async pods(namespace = this.models, label = this.label): Promise<readonly Pod[]> {
    const found = await this.list<Pod>('pods', namespace, label);
    return found.filter((p) => p.metadata.deletionTimestamp === undefined);
  }

  /** Whether such pods exist and all of them are ready. */
  async isUp(namespace: string, label: string): Promise<boolean> {
    const pods = await this.pods(namespace, label);
    const isReady = ({ status }: Pod) => status.conditions?.some((c) => c.type === 'Ready' && c.status === 'True');
    return pods.length > 0 && pods.every(isReady);
  }

  async podNames(): Promise<readonly string[]> {
    return (await this.pods()).map((p) => p.metadata.name);
  }

  /** Objects of the endpoint, unless another label is given. */
  async list<T>(what: string, namespace = this.models, label = this.label): Promise<readonly T[]> {
    const json = await kubectl(this.to, ['get', what, '-n', namespace, '-l', label, '-o', 'json']);
    return (JSON.parse(json) as { readonly items: readonly T[] }).items;
  }

  /** The names of the endpoint's objects, `KIND/NAME` on each line. */
  names(kinds: string): Promise<string> {
    return this.kubectl('get', kinds, '-n', this.models, '-l', this.label, '-o', 'name');
  }

  kubectl(...args: readonly string[]): Promise<string> {
    return kubectl(this.to, args);
  }

  /** Runs kubectl with standard input. */
  kubectlWith(input: string, ...args: readonly string[]): Promise<string> {
    return kubectl(this.to, args, input);
  }

  apply(object: Readonly<Record<string, unknown>>, manager = 'test'): Promise<string> {
    const args = ['apply', '--server-side', '--force-conflicts', '--field-manager', manager, '-f', '-'];
    return kubectl(this.to, args, JSON.stringify(object));
  }

  /** Writes one key of the endpoint's own Secret; returns the value of a variable that reads it. */
  async writeSecret(key: string, value: string): Promise<string> {
    const metadata = { name: this.endpoint, namespace: this.models };
    await this.apply({ apiVersion: 'v1', kind: 'Secret', metadata, stringData: { [key]: value } }, key);
    return `{{secrets/${this.endpoint}/${key}}}`;
  }
}

export interface Pod {
  readonly metadata: { readonly name: string; readonly uid: string; readonly deletionTimestamp?: string };
  readonly status: {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly containerStatuses?: readonly { readonly restartCount: number }[];
  };
}

export function makeEntity(name: string, variables: Readonly<Record<string, string>>) {
  return { name, entity_name: 'behaves', entity_version: '1', environment_vars: variables };
}

export function requireSuccess(ran: DavitRun): DavitRun {
  if (ran.code !== 0) throw new Error(`davit ended with ${ran.code ?? 'a signal'}\n${ran.stderr}\n${ran.stdout}`);
  return ran;
}

/** Prints the figures of a run to the log. */
function printLoad(what: string, report: LoadReport): void {
  process.stderr.write(
    `${what}: ${renderLoadReport(report)}\n${report.failed > 0 ? `${renderFailures(report)}\n` : ''}`,
  );
}

/** The environment that all tests on a cluster share, and the project that deployed its platform. */
export async function openPlatform() {
  const { root, environment: name } = inject('shared');
  const { value: environment } = await readEnvironment({ root, endpoints: 'endpoints' }, name);
  if (environment?.target !== 'kubernetes') throw new Error(`Cannot use "${name}": expected target: kubernetes`);
  const file = join(root, 'environments', `${name}.yaml`);
  const { kubeconfig, context } = environment.cluster;
  return {
    environment,
    to: { program: await findKubectl(), kubeconfig, context } satisfies KubectlConnection,
    file,
    text: await readFile(file, 'utf8'),
    davit: (...args: readonly string[]) => runDavit(root, [...args, '--environment', name]),
  };
}
