import { access } from 'node:fs/promises';
import type { RequestOptions } from 'node:https';
import { Agent } from 'node:https';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { KubeConfig as Config } from '@kubernetes/client-node';
import type { KubernetesPlace } from '../schemas/kubernetes-environment.ts';
import { type KubernetesApi, makeApi } from './api.ts';

/** Connects to the cluster that an environment names, with kubectl's own files and ways to log in. */
export async function connectCluster(
  { kubeconfig, context }: KubernetesPlace['cluster'],
  root: string,
): Promise<KubernetesApi> {
  // Its generated half costs 0.7 s to load, which only those wait for who need a cluster.
  const { KubeConfig } = await import('@kubernetes/client-node/dist/config.js');
  const config = new KubeConfig();
  await load(config, kubeconfig === undefined ? undefined : completePath(kubeconfig, root));
  if (context !== undefined) chooseContext(config, context);
  const cluster = config.getCurrentCluster();
  const name = config.getCurrentContext();
  if (!cluster)
    throw new Error(
      `Cannot find a cluster: ${describeFiles(kubeconfig)} has no context "${name}" with one, expected one (KUBECONFIG, or cluster.kubeconfig and cluster.context of the environment)`,
    );
  const first = await readOptions(config);
  const { ca, cert, key, pfx, passphrase, rejectUnauthorized, servername } = first;
  const given = Object.entries({ ca, cert, key, pfx, passphrase, rejectUnauthorized, servername });
  const tls = Object.fromEntries(given.filter(([, value]) => value !== undefined));
  let headers = readHeaders(first);
  return makeApi({
    server: cluster.server,
    name: `the cluster of context "${name}"`,
    agent: first.agent ?? new Agent({ keepAlive: true, ...tls }),
    headers: async (again) => {
      if (again) headers = readHeaders(await readOptions(config)); // a token may have run out
      return headers;
    },
  });
}

/** An absolute path of what a user wrote, from the project or from `~`. */
function completePath(path: string, root: string): string {
  return path.startsWith('~/') ? join(homedir(), path.slice(2)) : resolve(root, path);
}

type Options = RequestOptions & { agent?: Agent };

async function load(config: Config, file: string | undefined): Promise<void> {
  if (file === undefined) {
    config.loadFromDefault();
    return;
  }
  await access(file).catch((e: unknown) => {
    throw new Error(`Cannot read the kubeconfig ${file}: there is no such file, expected one of kubectl's`, {
      cause: e,
    });
  });
  config.loadFromFile(file);
}

function chooseContext(config: Config, context: string): void {
  const there = config.getContexts().map((c) => c.name);
  if (!there.includes(context))
    throw new Error(
      `Cannot find the context "${context}": expected one of ${there.join(', ') || 'some, and the kubeconfig has none'} (kubectl config get-contexts)`,
    );
  config.setCurrentContext(context);
}

/** Runs a login plugin where the kubeconfig names one. */
async function readOptions(config: Config): Promise<Options> {
  const options: Options = {};
  await config.applyToHTTPSOptions(options);
  return options;
}

function readHeaders({ headers = {}, auth }: Options): Readonly<Record<string, string>> {
  const basic = typeof auth === 'string' ? { authorization: `Basic ${Buffer.from(auth).toString('base64')}` } : {};
  return { ...(headers as Record<string, string>), ...basic };
}

function describeFiles(kubeconfig: string | undefined): string {
  return kubeconfig ?? process.env['KUBECONFIG'] ?? '~/.kube/config';
}
