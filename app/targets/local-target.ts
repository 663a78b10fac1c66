import type { EndpointStatus, RevisionState, RevisionStatus, Status } from '../../local/control/control-protocol.ts';
import { SupervisorHangs } from '../../local/control/control-errors.ts';
import { connectSupervisor, ensureSupervisor, readStatus } from '../../local/supervisor/start-supervisor.ts';
import { isPending } from '../../local/supervisor/describe-fleet.ts';
import { type DeploymentState, readyStateOf, updateStateOf } from '../../schemas/deployment/endpoint-state.ts';
import { queryEndpoint } from './query-endpoint.ts';
import type { Access, EndpointState, EntityState, Target } from './target.ts';

const CONNECTION_SECONDS = 600;

/** The local target, which works through its supervisor. */
export function openLocalTarget(root: string, environment: string, signal?: AbortSignal): Target {
  return {
    openAccess: async () => {
      const client = await ensureSupervisor(root, environment, { signal });
      const { gateway, tokens } = await client.status();
      return makeAccess(requireHost(gateway), tokens === 0 ? await client.makeToken() : undefined);
    },
    start: async () => {
      await ensureSupervisor(root, environment, { signal });
    },
    replaceHanging: async () => {
      await connectSupervisor(root, environment, signal).catch(async (e: unknown) => {
        if (!(e instanceof SupervisorHangs)) throw e;
        await ensureSupervisor(root, environment, { signal });
      });
    },
    makeToken: async () => {
      const client = await requireSupervisor(root, environment, signal);
      return makeAccess(requireHost((await client.status()).gateway), await client.makeToken());
    },
    readStatus: async () => {
      const status = await readStatus(root, environment, signal);
      if (!status) return { running: false, host: undefined, endpoints: [] };
      return { running: status.running, host: status.gateway.url, endpoints: makeEndpointStates(status) };
    },
    connect: async () => {
      const client = await requireSupervisor(root, environment, signal);
      const host = requireHost((await client.status()).gateway);
      const token = await client.makeShortToken(CONNECTION_SECONDS);
      return { host, query: (query) => queryEndpoint({ host, token }, query) };
    },
    readLogs: async ({ endpoint, entity, lines, build }) => {
      if (!(await readStatus(root, environment, signal))) return [];
      const client = await requireSupervisor(root, environment, signal);
      const { revisions } = await client.status();
      const wanted = revisions.filter((r) => r.endpoint === endpoint && (entity === undefined || r.entity === entity));
      const read = wanted.map(async (r) => ({
        entity: r.entity,
        revision: r.name,
        lines: await client.readLog(r.name, build ? 'build-log' : 'log', lines),
      }));
      return Promise.all(read);
    },
  };
}

function makeAccess(host: string, token: string | undefined): Access {
  const text =
    token === undefined
      ? `export DATABRICKS_HOST=${host}\nA token was made before; npx davit token makes another`
      : `export DATABRICKS_HOST=${host} DATABRICKS_TOKEN=${token}\nThe token is shown this once; npx davit token makes another`;
  return { host, token, text };
}

function requireHost({ url, problem }: Status['gateway']): string {
  if (url !== undefined) return url;
  throw new Error(`Cannot reach the gateway: ${problem ?? 'nothing is deployed'}; npx davit up starts it again`);
}

async function requireSupervisor(root: string, environment: string, signal: AbortSignal | undefined) {
  const client = await connectSupervisor(root, environment, signal);
  if (client) return client;
  const stored = await readStatus(root, environment, signal);
  throw new Error(
    stored
      ? `Cannot reach "${environment}": its supervisor does not run; npx davit up starts it and what it had served`
      : `Cannot reach "${environment}": nothing is deployed there; npx davit up NAME deploys an endpoint`,
  );
}

function makeEndpointStates({ endpoints, revisions }: Status): readonly EndpointState[] {
  const names = [...new Set([...endpoints.map((e) => e.name), ...revisions.map((r) => r.endpoint)])].sort();
  return names.map((name) => {
    const mine = revisions.filter((r) => r.endpoint === name && r.state !== 'draining');
    return makeEndpointState(
      name,
      endpoints.find((e) => e.name === name),
      mine,
    );
  });
}

function makeEndpointState(
  name: string,
  route: EndpointStatus | undefined,
  revisions: readonly RevisionStatus[],
): EndpointState {
  const share = (r: RevisionStatus) => route?.entities.find((e) => e.revision === r.name)?.trafficPercentage;
  const serving = revisions.filter((r) => share(r) !== undefined);
  const coming = revisions.filter((r) => share(r) === undefined);
  return {
    name,
    ready: readyStateOf(serving.map((r) => DEPLOYMENTS[r.state])),
    configUpdate: updateStateOf(coming.filter(isPending).map((r) => DEPLOYMENTS[r.state])),
    url: route?.url,
    entities: [...serving, ...coming].map((r) => makeEntityState(r, share(r))),
  };
}

const DEPLOYMENTS: Readonly<Record<RevisionState, DeploymentState>> = {
  starting: 'DEPLOYMENT_CREATING',
  ready: 'DEPLOYMENT_READY',
  idle: 'DEPLOYMENT_READY',
  recovering: 'DEPLOYMENT_RECOVERING',
  failed: 'DEPLOYMENT_FAILED',
  draining: 'DEPLOYMENT_READY',
};

function makeEntityState(revision: RevisionStatus, trafficPercentage: number | undefined): EntityState {
  const { entity, name, model, state, failure, replicas, workers, inFlight } = revision;
  const loading = replicas.find((r) => r.state === 'ready' && r.loading)?.loading;
  return {
    name: entity,
    model: `${model.name} ${model.version}`,
    revision: name,
    trafficPercentage,
    deployment: DEPLOYMENTS[state],
    message: failure?.message ?? (state === 'idle' ? 'Scaled to zero: the next request starts a replica' : ''),
    replicas: replicas.filter((r) => r.state === 'ready').length,
    workers: loading && { ...loading, count: workers },
    inFlight,
  };
}
