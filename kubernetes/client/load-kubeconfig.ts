import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import type { KubeConfig as Config } from '@kubernetes/client-node';
import { requireKubernetesPackages } from '../../system/kubernetes-packages.ts';

export interface KubeconfigLocation {
  /** As written in the environment; undefined: kubectl's default files. */
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
  /** The folder for relative paths. */
  readonly root: string;
}

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount/token';

/** Reads the configuration as kubectl does: it merges several files, and the first file that sets a value wins. */
export async function loadKubeconfig({ kubeconfig, context, root }: KubeconfigLocation): Promise<Config> {
  requireKubernetesPackages();
  // Its generated half takes 0.4 s to load, so load it only when a cluster is needed.
  const { KubeConfig } = await import('@kubernetes/client-node/dist/config.js');
  const merged: Config = new KubeConfig();
  const files = findFiles(kubeconfig, root);
  if (files.length === 0) {
    requireServiceAccount(kubeconfig);
    merged.loadFromCluster();
    return merged;
  }
  const configs = files.map((file) => loadFile(new KubeConfig(), file));
  merged.loadFromOptions({
    clusters: firstOfEach(configs.flatMap((c) => c.clusters)),
    users: firstOfEach(configs.flatMap((c) => c.users)),
    contexts: firstOfEach(configs.flatMap((c) => c.contexts)),
    currentContext: context ?? configs.map((c) => c.currentContext as string | undefined).find(Boolean) ?? '',
  });
  requireCluster(merged, { files, context });
  return merged;
}

/** The absolute path of a user's path, which is relative to the project or to `~`. */
function completePath(path: string, root: string): string {
  return path.startsWith('~/') ? join(homedir(), path.slice(2)) : resolve(root, path);
}

/** The existing kubeconfig files. Like kubectl, this skips missing files of a list. */
function findFiles(kubeconfig: string | undefined, root: string): readonly string[] {
  if (kubeconfig !== undefined) {
    const file = completePath(kubeconfig, root);
    if (existsSync(file)) return [file];
    throw new Error(
      `Cannot read the kubeconfig ${file}: the file does not exist, expected a kubeconfig (cluster.kubeconfig of the environment)`,
    );
  }
  const listed = (process.env['KUBECONFIG'] ?? '').split(delimiter).filter(Boolean);
  return (listed.length > 0 ? listed : [join(homedir(), '.kube', 'config')]).filter((file) => existsSync(file));
}

/** Without a file, a pod may still have a service account, for example a CI runner. */
function requireServiceAccount(kubeconfig: string | undefined): void {
  if (process.env['KUBERNETES_SERVICE_HOST'] !== undefined && existsSync(SERVICE_ACCOUNT)) return;
  const said = kubeconfig ?? process.env['KUBECONFIG'] ?? '';
  throw new Error(
    `Cannot find a cluster: ${said === '' ? 'there is no ~/.kube/config' : `there is no file ${said}`}, expected a kubeconfig (KUBECONFIG, or cluster.kubeconfig of the environment)`,
  );
}

/** Reads a file. The error message does not quote it, because it holds tokens. */
function loadFile(config: Config, file: string): Config {
  try {
    config.loadFromFile(file);
  } catch (e) {
    const { reason, mark } = e as { reason?: string; mark?: { line?: number } };
    const why = reason === undefined ? (e as Error).message : `${reason} in line ${(mark?.line ?? 0) + 1}`;
    throw new Error(`Cannot read the kubeconfig ${file}: ${why}, expected a kubeconfig`);
  }
  // The library refuses plain HTTP, but kubectl accepts it, for example from `kubectl proxy`.
  for (const cluster of config.clusters)
    if (cluster.server.startsWith('http:')) Object.assign(cluster, { skipTLSVerify: true });
  for (const { exec } of config.users as readonly LoginUser[]) completeCommand(exec, dirname(file));
  return config;
}

interface LoginUser {
  readonly exec?: LoginPlugin;
}

interface LoginPlugin {
  command: string;
  apiVersion?: string;
  env?: { name: string; value: string }[];
}

/** Completes a login plugin as kubectl does: its path is relative to the file, and it learns who calls it. */
function completeCommand(exec: LoginPlugin | undefined, folder: string): void {
  if (!exec) return;
  if (exec.command.includes('/')) exec.command = resolve(folder, exec.command);
  const apiVersion = exec.apiVersion ?? 'client.authentication.k8s.io/v1';
  const value = JSON.stringify({ apiVersion, kind: 'ExecCredential', spec: { interactive: false } });
  exec.env = [{ name: 'KUBERNETES_EXEC_INFO', value }, ...(exec.env ?? [])];
}

function firstOfEach<T extends { readonly name: string }>(items: readonly T[]): T[] {
  const seen = new Map<string, T>();
  for (const item of items) if (!seen.has(item.name)) seen.set(item.name, item);
  return [...seen.values()];
}

function requireCluster(
  config: Config,
  { files, context }: { readonly files: readonly string[]; readonly context: string | undefined },
): void {
  const there = config.getContexts().map((c) => c.name);
  const name = config.getCurrentContext();
  const where = files.join(', ');
  if (!there.includes(name))
    throw new Error(
      `Cannot find ${name === '' ? 'a current context' : `the context "${name}"`} in ${where}: expected ${there.length > 0 ? `one of ${there.join(', ')}` : 'a file with contexts'}${context === undefined ? ' (kubectl config use-context, or cluster.context of the environment)' : ' as cluster.context of the environment'}`,
    );
  if (!config.getCurrentCluster())
    throw new Error(
      `Cannot find the cluster of context "${name}" in ${where}: expected an entry in clusters with that name`,
    );
}
