import type { Agent as AnyAgent } from 'node:http';
import type { RequestOptions } from 'node:https';
import { Agent } from 'node:https';
import type { KubeConfig as Config } from '@kubernetes/client-node';
import { Agent as PlainAgent } from '../../system/node-http.ts';
import type { KubernetesSettings } from '../../schemas/environment/kubernetes-environment.ts';
import { type KubernetesApi, makeApi } from './api.ts';
import type { Connection } from './connection.ts';
import { type KubeconfigLocation, loadKubeconfig } from './load-kubeconfig.ts';
import { readErrorMessage } from '../../schemas/values/read-error-message.ts';

/** The result of a login, which is used for a while. */
interface Login {
  readonly agent: AnyAgent;
  /** Another text means another certificate, which needs new connections. */
  readonly identity: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly at: number;
}

/** A token is valid for minutes at least. The login methods themselves know when to renew it. */
const LOGIN_MILLISECONDS = 10_000;

/**
 * Connects to the cluster of an environment, with kubectl's own files and login methods. The signal aborts every
 * request.
 */
export async function connectCluster(
  { kubeconfig, context }: KubernetesSettings['cluster'],
  root: string,
  { signal, readSeconds }: Pick<Connection, 'signal' | 'readSeconds'> = {},
): Promise<KubernetesApi> {
  const place: KubeconfigLocation = { kubeconfig, context, root };
  let config = await loadKubeconfig(place);
  let login = await logIn(config, undefined);
  return makeApi({
    server: config.getCurrentCluster()?.server ?? '',
    name: `the cluster of context "${config.getCurrentContext()}"`,
    signal,
    readSeconds,
    get agent() {
      return login.agent;
    },
    headers: async (again) => {
      // A login plugin caches a token without an expiry for ever. Reload the plugin when the token is refused.
      if (again) config = await loadKubeconfig(place);
      if (again || performance.now() - login.at > LOGIN_MILLISECONDS) login = await logIn(config, login);
      return login.headers;
    },
  });
}

type HttpsOptions = RequestOptions & { agent?: AnyAgent };

/** Logs in, and runs the kubeconfig's login plugin if its last token has expired. */
async function logIn(config: Config, before: Login | undefined): Promise<Login> {
  const options: HttpsOptions = {};
  await config.applyToHTTPSOptions(options).catch((e: unknown) => {
    const why = readErrorMessage(e).trim();
    const plugin = config.getCurrentUser()?.exec as { command?: string; installHint?: string } | undefined;
    const hint = plugin?.installHint === undefined ? '' : ` (${plugin.installHint.trim()})`;
    throw new Error(
      `Cannot log in to the cluster of context "${config.getCurrentContext()}"${plugin ? ` with ${plugin.command ?? ''}` : ''}: ${why}. Check that kubectl can connect${hint}`,
      { cause: e },
    );
  });
  const { ca, cert, key, pfx, passphrase, rejectUnauthorized, servername } = options;
  const given = Object.entries({ ca, cert, key, pfx, passphrase, rejectUnauthorized, servername });
  const tls = Object.fromEntries(given.filter(([, value]) => value !== undefined));
  const identity = JSON.stringify(tls);
  const agent = before?.identity === identity ? before.agent : makeAgent(config, tls, options.agent);
  return { agent, identity, headers: readHeaders(options), at: performance.now() };
}

/**
 * Keeps connections open, because a new one costs more than most requests. The library's agent is used only for
 * proxies.
 */
function makeAgent(config: Config, tls: object, theirs: AnyAgent | undefined): AnyAgent {
  const cluster = config.getCurrentCluster();
  if (cluster?.proxyUrl !== undefined && theirs) return Object.assign(theirs, { keepAlive: true });
  return cluster?.server.startsWith('http:')
    ? new PlainAgent({ keepAlive: true })
    : new Agent({ keepAlive: true, ...tls });
}

function readHeaders({ headers = {}, auth }: HttpsOptions): Readonly<Record<string, string>> {
  const basic = typeof auth === 'string' ? { authorization: `Basic ${Buffer.from(auth).toString('base64')}` } : {};
  return { ...(headers as Record<string, string>), ...basic };
}
