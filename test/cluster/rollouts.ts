import { access, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, inject } from 'vitest';
import { stringify } from 'yaml';
import type { Asked } from '../../cli/asked.ts';
import { renderAsked, renderFailures } from '../../cli/render-asked.ts';
import type { DescribedEndpoint } from '../../kubernetes/describe-endpoints.ts';
import { findKubectl } from '../../offline/cluster/go-programs.ts';
import { type Kubectl, kubectl } from '../../offline/cluster/kubectl.ts';
import type { KubernetesEnvironment } from '../../schemas/environment.ts';
import { readEnvironment } from '../../schemas/read-declared.ts';
import { ask, type Answered } from '../prober/ask.ts';
import type { Question } from '../prober/make-asker.ts';
import { expectNoFailure, probeDuring, type ProbeOptions } from '../prober/probe.ts';
import { type DavitRun, runDavit } from './run-davit.ts';

/** The one endpoint of these tests: its model does what its variables say. */
const ENDPOINT = 'b';
const BODY = '{"dataframe_records": [{"seconds": 0}]}';
/** The cluster and the deployer are on the machine of the clients: they leave it some of its two cores. */
const PAUSE = { pauseMilliseconds: 20 };

interface Described {
  readonly variables?: Readonly<Record<string, string>>;
  /** Further fields of its only entity. */
  readonly more?: Readonly<Record<string, unknown>>;
  readonly rollout?: 'recreate';
  /** Time limit of a prediction. */
  readonly seconds?: number;
  /** Further fields of the file's `davit`. */
  readonly davit?: Readonly<Record<string, unknown>>;
}

interface LoadOptions extends ProbeOptions {
  /** What is asked. */
  readonly body?: string;
}

/** One project, environment and endpoint on the shared cluster, and what is done with them. */
export class Rollouts {
  readonly root: string;
  readonly environment: KubernetesEnvironment;
  readonly to: Kubectl;
  readonly host: string;
  readonly token: string;

  private constructor(parts: Pick<Rollouts, 'root' | 'environment' | 'to' | 'host' | 'token'>) {
    this.root = parts.root;
    this.environment = parts.environment;
    this.to = parts.to;
    this.host = parts.host;
    this.token = parts.token;
  }

  static async open(): Promise<Rollouts> {
    const { root, environment } = await openPlatform();
    const { cluster } = environment;
    const to = { program: await findKubectl(), kubeconfig: cluster.kubeconfig, context: cluster.context };
    const ran = requireFine(await runDavit(root, ['token', '--environment', environment.name, '--json']));
    const { result } = JSON.parse(ran.stdout) as { readonly result: { readonly host: string; readonly token: string } };
    return new Rollouts({ root, environment, to, ...result });
  }

  get models(): string {
    return this.environment.namespace;
  }

  davit(...args: readonly string[]): Promise<DavitRun> {
    return runDavit(this.root, [...args, '--environment', this.environment.name]);
  }

  /** The same; `hear` gets each piece of what it says, and the number of its process. */
  davitHeard(args: readonly string[], hear: (text: string, pid: number) => void): Promise<DavitRun> {
    const whole = [...args, '--environment', this.environment.name];
    return runDavit(this.root, whole, (text, { pid = 0 }) => hear(text, pid));
  }

  async up(): Promise<DavitRun> {
    return requireFine(await this.davit('up', ENDPOINT));
  }

  /** Writes the endpoint with one entity, and its lock. */
  declare({ variables = {}, more = {}, rollout, seconds, davit: own = {} }: Described): Promise<void> {
    const entity = { ...makeEntity(ENDPOINT, variables), ...more };
    const davit = {
      ...own,
      ...(rollout !== undefined && { rollout }),
      ...(seconds !== undefined && { served_entities: { [ENDPOINT]: { time_limit_seconds: seconds } } }),
    };
    return this.#write({ name: ENDPOINT, config: { served_entities: [entity] }, davit });
  }

  /** The same with several; shares by their order. */
  declareShared(entities: readonly { readonly name: string }[], shares: readonly number[]): Promise<void> {
    const routes = entities.map(({ name }, i) => ({ served_entity_name: name, traffic_percentage: shares[i] }));
    return this.#write({ name: ENDPOINT, config: { served_entities: entities, traffic_config: { routes } } });
  }

  async #write(endpoint: unknown): Promise<void> {
    await writeFile(join(this.root, 'endpoints', `${ENDPOINT}.yaml`), stringify(endpoint));
    requireFine(await runDavit(this.root, ['lock', ENDPOINT]));
  }

  /** Eight clients ask this. */
  question(entity?: string): Question {
    const path = entity === undefined ? '' : `/served-models/${entity}`;
    return {
      url: `${this.host}/serving-endpoints/${ENDPOINT}${path}/invocations`,
      headers: { authorization: `Bearer ${this.token}` },
      body: BODY,
    };
  }

  query(token = this.token, entity?: string): Promise<Answered> {
    return ask(this.question(entity).url, token, BODY);
  }

  /** What the model answers. */
  async answer(): Promise<string> {
    const { status, body } = await this.query();
    return status === 200 ? ((JSON.parse(body) as { predictions: string[] }).predictions[0] ?? '') : body;
  }

  /** An operation while eight clients ask; none of their requests fails. */
  async underLoad<T>(what: string, operate: () => Promise<T>, options: LoadOptions = {}): Promise<T> {
    const { result, asked } = await this.watch(what, operate, options);
    expectNoFailure(asked);
    return result;
  }

  /** The same, whatever they see. */
  async watch<T>(what: string, operate: () => Promise<T>, { body = BODY, ...options }: LoadOptions = {}) {
    const began = performance.now();
    const probed = await probeDuring({ ...this.question(), body }, operate, { ...PAUSE, ...options });
    sayAsked(`${what} (${((performance.now() - began) / 1000).toFixed(1)} s)`, probed.asked);
    return probed;
  }

  /** An update while eight clients ask; afterwards `version` answers. */
  async updates(what: string, version: string): Promise<DavitRun> {
    const ran = await this.underLoad(what, () => this.davit('up', ENDPOINT));
    requireFine(ran);
    expect(await this.answer()).toBe(version);
    return ran;
  }

  /** An update that is refused by what it is asked to deploy; what served still does. */
  async fails(what: string, hear: (text: string) => void = () => undefined): Promise<DavitRun> {
    const before = await this.answer();
    const route = await this.readRoute();
    const shown = await this.underLoad(what, () => this.davitHeard(['up', ENDPOINT], hear));
    process.stderr.write(`${shown.stderr.slice(Math.max(0, shown.stderr.indexOf('endpoints/')))}\n`);
    expect(`${shown.code ?? ''}\n${shown.stderr}`).toMatch(/^1\n/);
    expect(shown.stdout).toContain('not deployed; what served before still serves');
    expect(await this.answer()).toBe(before);
    expect(await this.readRoute()).toEqual(route);
    return shown;
  }

  /** The verdict of a preview: `no-change`. */
  async previews(): Promise<string> {
    const { result } = JSON.parse(requireFine(await this.davit('preview', ENDPOINT, '--json')).stdout) as {
      readonly result: { readonly endpoints: readonly { readonly plan: { readonly verdict: { kind: string } } }[] };
    };
    return result.endpoints[0]?.plan.verdict.kind ?? '';
  }

  async status(): Promise<DescribedEndpoint> {
    const { result } = JSON.parse((await this.davit('status', '--json')).stdout) as {
      readonly result: { readonly endpoints: readonly DescribedEndpoint[] };
    };
    const found = result.endpoints.find(({ name }) => name === ENDPOINT);
    if (found) return found;
    throw new Error(`Cannot find "${ENDPOINT}" in ${JSON.stringify(result)}`);
  }

  async revision(): Promise<string | undefined> {
    return (await this.status()).entities[0]?.revision;
  }

  async readRoute(): Promise<unknown> {
    return (await this.list<{ readonly spec: unknown }>('route')).at(0)?.spec;
  }

  /** Pods that are not on their way out, by name. */
  async pods(namespace = this.models, label = 'davit.dev/endpoint'): Promise<readonly Pod[]> {
    const found = await this.list<Pod>('pods', namespace, ['-l', label]);
    return found.filter((p) => p.metadata.deletionTimestamp === undefined);
  }

  async podNames(): Promise<readonly string[]> {
    return (await this.pods()).map((p) => p.metadata.name);
  }

  async list<T>(what: string, namespace = this.models, more: readonly string[] = []): Promise<readonly T[]> {
    const json = await kubectl(this.to, ['get', what, '-n', namespace, ...more, '-o', 'json']);
    return (JSON.parse(json) as { readonly items: readonly T[] }).items;
  }

  kubectl(...args: readonly string[]): Promise<string> {
    return kubectl(this.to, args);
  }

  /** kubectl with a standard input. */
  kubectlWith(input: string, ...args: readonly string[]): Promise<string> {
    return kubectl(this.to, args, input);
  }

  apply(object: Readonly<Record<string, unknown>>, manager = 'test'): Promise<string> {
    const args = ['apply', '--server-side', '--force-conflicts', '--field-manager', manager, '-f', '-'];
    return kubectl(this.to, args, JSON.stringify(object));
  }

  /** Writes one key of the Secret that the endpoint reads as `{{secrets/team/KEY}}`. */
  async writeSecret(key: string, value: string): Promise<void> {
    const metadata = { name: 'team', namespace: this.models };
    await this.apply({ apiVersion: 'v1', kind: 'Secret', metadata, stringData: { [key]: value } }, key);
  }
}

export interface Pod {
  readonly metadata: { readonly name: string; readonly uid: string; readonly deletionTimestamp?: string };
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

export function makeEntity(name: string, variables: Readonly<Record<string, string>>) {
  return { name, entity_name: 'behaves', entity_version: '1', environment_vars: variables };
}

export function requireFine(ran: DavitRun): DavitRun {
  if (ran.code !== 0) throw new Error(`davit ended with ${ran.code ?? 'a signal'}\n${ran.stderr}\n${ran.stdout}`);
  return ran;
}

/** The figures of a run, for whoever reads its log. */
function sayAsked(what: string, asked: Asked): void {
  process.stderr.write(`${what}: ${renderAsked(asked)}\n${asked.failed > 0 ? `${renderFailures(asked)}\n` : ''}`);
}

/** The platform of the shared environment: the first file that needs it makes it. */
export async function openPlatform() {
  const { root, environment: name, cluster } = inject('shared');
  const mark = join(root, 'platform-is-up');
  if (cluster && !(await isThere(mark))) {
    requireFine(await runDavit(root, ['up', '_platform', '--environment', name]));
    await writeFile(mark, '');
  }
  const { value: environment } = await readEnvironment({ root, endpoints: 'endpoints' }, name);
  if (environment?.target !== 'kubernetes') throw new Error(`Cannot use "${name}": expected target: kubernetes`);
  return { root, environment, file: await readFile(join(root, 'environments', `${name}.yaml`), 'utf8') };
}

function isThere(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
