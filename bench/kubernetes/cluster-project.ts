import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import type { KubernetesApi } from '../../kubernetes/client/api.ts';
import { connectCluster } from '../../kubernetes/client/connect.ts';
import { findEdge, requestClientToken } from '../../kubernetes/edge-access.ts';
import type { KubernetesEnvironment } from '../../schemas/environment/environment.ts';
import { readEnvironment } from '../../schemas/read-project.ts';
import { codePath } from '../../system/code.ts';
import type { ProbeRequest } from '../../test/prober/probe-client.ts';
import { type BenchProject, makeBenchProject } from '../bench-project.ts';
import type { BenchContext } from '../benchmark.ts';
import { readExample } from '../gateway-request.ts';
import type { TimedRun } from '../run-timed.ts';

/** The measured environment: `davit cluster up` writes it, `davit up _platform --env cluster` deploys its platform. */
const SOURCE_ENVIRONMENT = 'cluster';
const NAME = 'bench';
const TOKEN_SECONDS = 3600;
const SLEEPER = 'conformance';
const SLEEPER_MODEL = codePath('test', 'fixtures', 'models', 'o_conformance');

/** The settings of a benchmark's endpoint, without its name. */
export interface EndpointOptions {
  readonly version?: '1' | '2';
  /** Uses a model that sleeps for the time in the request, instead of the example model. */
  readonly sleeper?: boolean;
  readonly min?: number;
  readonly max?: number;
  readonly scaleToZero?: boolean;
  readonly routeOptimized?: boolean;
}

export interface ClusterProject {
  readonly root: string;
  readonly environment: KubernetesEnvironment;
  readonly api: KubernetesApi;
  /** Writes an endpoint's file and its lock. */
  readonly declare: (name: string, wish?: EndpointOptions) => Promise<void>;
  /** Runs a verb of `davit` in this environment. */
  readonly davit: (verb: string, ...args: readonly string[]) => Promise<TimedRun>;
  /** The example's input, as a request to an endpoint. */
  readonly makeProbe: (endpoint: string) => Promise<ProbeRequest>;
}

interface EnvironmentFields {
  readonly images: { readonly registry: string };
}

/** Changes to the fields of the cluster's environment file. */
type Changes = Readonly<Record<string, unknown>> | ((there: EnvironmentFields) => object);

/** Runs work with a separate project on the existing cluster, then takes down the endpoints of the project. */
export async function withCluster<T>(
  bench: BenchContext,
  changes: Changes,
  work: (cluster: ClusterProject) => Promise<T>,
): Promise<T> {
  const project = await makeBenchProject(bench);
  const declared: string[] = [];
  try {
    const environment = await declareEnvironment(project, changes);
    const api = await connectCluster(environment.cluster, project.root);
    const davit = (verb: string, ...args: readonly string[]) => project.davit(verb, ...args, '--environment', NAME);
    return await work({
      root: project.root,
      environment,
      api,
      davit,
      declare: async (name, wish = {}) => {
        declared.push(name);
        if (wish.sleeper) await cp(SLEEPER_MODEL, join(project.root, 'models', SLEEPER, '1'), { recursive: true });
        await writeFile(join(project.root, 'endpoints', `${name}.yaml`), renderEndpoint(name, wish));
        await project.davit('lock', name);
      },
      makeProbe: (endpoint) => makeEndpointRequest(endpoint, { project, environment, api }),
    });
  } finally {
    await removeEndpoints(project, declared);
  }
}

/** Also runs after Ctrl-C, so without the benchmark's signal. A second try removes what a failed one has left. */
async function removeEndpoints(project: BenchProject, declared: readonly string[]): Promise<void> {
  const down = () => project.finish('down', ...new Set(declared), '--environment', NAME);
  try {
    if (declared.length > 0) await down().catch(down);
  } finally {
    await project.remove();
  }
}

async function declareEnvironment({ root }: BenchProject, changes: Changes): Promise<KubernetesEnvironment> {
  const given = join(root, 'environments', `${SOURCE_ENVIRONMENT}.yaml`);
  const text = await readFile(given, 'utf8').catch(() => {
    throw new Error(
      `Cannot find environments/${SOURCE_ENVIRONMENT}.yaml: expected a cluster and its platform: npx davit cluster up, then npx davit up _platform --env ${SOURCE_ENVIRONMENT}`,
    );
  });
  const there = parse(text) as EnvironmentFields;
  const fields = { ...there, name: NAME, ...(typeof changes === 'function' ? changes(there) : changes) };
  await writeFile(join(root, 'environments', `${NAME}.yaml`), stringify(fields));
  const { value, diagnostics } = await readEnvironment({ root, endpoints: 'endpoints' }, NAME);
  if (value?.target === 'kubernetes') return value;
  throw new Error(
    `Cannot use environments/${SOURCE_ENVIRONMENT}.yaml: ${diagnostics.map((d) => d.message).join('; ')}`,
  );
}

function renderEndpoint(name: string, wish: EndpointOptions): string {
  const { version = '2', sleeper = false, min = 4, max = min, scaleToZero = false, routeOptimized = false } = wish;
  const entity = {
    name,
    entity_name: sleeper ? SLEEPER : 'iris',
    entity_version: sleeper ? '1' : version,
    min_provisioned_concurrency: min,
    max_provisioned_concurrency: max,
    scale_to_zero_enabled: scaleToZero,
  };
  return stringify({ name, config: { served_entities: [entity] }, route_optimized: routeOptimized });
}

interface RequestContext {
  readonly project: BenchProject;
  readonly environment: KubernetesEnvironment;
  readonly api: KubernetesApi;
}

async function makeEndpointRequest(
  endpoint: string,
  { project, environment, api }: RequestContext,
): Promise<ProbeRequest> {
  const [edge, token, body] = await Promise.all([
    findEdge(api, environment),
    requestClientToken(api, environment, TOKEN_SECONDS),
    readExample(project.root),
  ]);
  const url = `${edge}/serving-endpoints/${endpoint}/invocations`;
  return { url, body, headers: { authorization: `Bearer ${token}` } };
}
