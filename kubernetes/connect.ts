import type { Agent as AnyAgent } from 'node:http';
import { Agent as PlainAgent } from 'node:http';
import type { RequestOptions } from 'node:https';
import { Agent } from 'node:https';
import type { KubeConfig as Config } from '@kubernetes/client-node';
import type { KubernetesPlace } from '../schemas/kubernetes-environment.ts';
import { type KubernetesApi, makeApi } from './api.ts';
import { type KubeconfigPlace, loadKubeconfig } from './load-kubeconfig.ts';

/** Who asks, for a while. */
interface Login {
  readonly agent: AnyAgent;
  /** Another text is another certificate, and needs other connections. */
  readonly identity: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly at: number;
}

/** Tokens live for minutes at least; whether they must be renewed, the ways to log in know. */
const LOGIN_MILLISECONDS = 10_000;

/** Connects to the cluster that an environment names, with kubectl's own files and ways to log in. */
export async function connectCluster(
  { kubeconfig, context }: KubernetesPlace['cluster'],
  root: string,
): Promise<KubernetesApi> {
  const place: KubeconfigPlace = { kubeconfig, context, root };
  let config = await loadKubeconfig(place);
  let login = await logIn(config, undefined);
  return makeApi({
    server: config.getCurrentCluster()?.server ?? '',
    name: `the cluster of context "${config.getCurrentContext()}"`,
    get agent() {
      return login.agent;
    },
    headers: async (again) => {
      // A plugin keeps a token without an end for ever: one that is refused is asked for by a new one.
      if (again) config = await loadKubeconfig(place);
      if (again || Date.now() - login.at > LOGIN_MILLISECONDS) login = await logIn(config, login);
      return login.headers;
    },
  });
}

type Options = RequestOptions & { agent?: AnyAgent };

/** Runs a login plugin where the kubeconfig names one and its last word has run out. */
async function logIn(config: Config, before: Login | undefined): Promise<Login> {
  const options: Options = {};
  await config.applyToHTTPSOptions(options).catch((e: unknown) => {
    const why = e instanceof Error ? e.message.trim() : String(e);
    const plugin = config.getCurrentUser()?.exec as { command?: string; installHint?: string } | undefined;
    const hint = plugin?.installHint === undefined ? '' : ` (${plugin.installHint.trim()})`;
    throw new Error(
      `Cannot log in to the cluster of context "${config.getCurrentContext()}"${plugin ? ` with ${plugin.command ?? ''}` : ''}: ${why}, expected kubectl's way to work${hint}`,
      { cause: e },
    );
  });
  const { ca, cert, key, pfx, passphrase, rejectUnauthorized, servername } = options;
  const given = Object.entries({ ca, cert, key, pfx, passphrase, rejectUnauthorized, servername });
  const tls = Object.fromEntries(given.filter(([, value]) => value !== undefined));
  const identity = JSON.stringify(tls);
  const agent = before?.identity === identity ? before.agent : makeAgent(config, tls, options.agent);
  return { agent, identity, headers: readHeaders(options), at: Date.now() };
}

/** Connections are kept: a new one costs more than most questions. The library's own way is for proxies. */
function makeAgent(config: Config, tls: object, theirs: AnyAgent | undefined): AnyAgent {
  const cluster = config.getCurrentCluster();
  if (cluster?.proxyUrl !== undefined && theirs) return Object.assign(theirs, { keepAlive: true });
  return cluster?.server.startsWith('http:')
    ? new PlainAgent({ keepAlive: true })
    : new Agent({ keepAlive: true, ...tls });
}

function readHeaders({ headers = {}, auth }: Options): Readonly<Record<string, string>> {
  const basic = typeof auth === 'string' ? { authorization: `Basic ${Buffer.from(auth).toString('base64')}` } : {};
  return { ...(headers as Record<string, string>), ...basic };
}
