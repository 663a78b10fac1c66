import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KubernetesApi } from '../../../kubernetes/client/api.ts';
import { connectCluster } from '../../../kubernetes/client/connect.ts';
import { loadKubeconfig } from '../../../kubernetes/client/load-kubeconfig.ts';
import { makeTemporaryFolder } from '../../../system/temporary-folder.ts';
import type { ProviderSettings } from './settings.ts';

/** Once an update has begun, it is worth waiting for a busy API server. */
const READ_SECONDS = 60;

/** No cluster to connect to: the kubeconfig is missing or has no usable login. */
export class NoClusterError extends Error {}

/** The cluster of a program, named by the path of a kubeconfig, by its text, or not at all. */
export class ClusterAccess {
  readonly #settings: () => ProviderSettings;
  #file: string | undefined;

  constructor(settings: () => ProviderSettings) {
    this.#settings = settings;
  }

  async connect(): Promise<KubernetesApi> {
    try {
      return await connectCluster(this.#kubectlPlace(), process.cwd(), { readSeconds: READ_SECONDS });
    } catch (e) {
      throw new NoClusterError((e as Error).message, { cause: e });
    }
  }

  /** The namespace for objects that name none. */
  async namespace(): Promise<string> {
    const { namespace } = this.#settings();
    if (namespace !== undefined) return namespace;
    const config = await loadKubeconfig({ ...this.#kubectlPlace(), root: process.cwd() }).catch(() => undefined);
    return config?.getContextObject(config.getCurrentContext())?.namespace ?? 'default';
  }

  #kubectlPlace() {
    const { kubeconfig, context } = this.#settings();
    const isText = kubeconfig !== undefined && (kubeconfig.includes('\n') || kubeconfig.trimStart().startsWith('{'));
    return { kubeconfig: isText ? (this.#file ??= writeKubeconfig(kubeconfig)) : kubeconfig, context };
  }
}

/** Logins are renewed from a file. Only this user may read it, and it is removed when this process ends. */
function writeKubeconfig(text: string): string {
  const folder = makeTemporaryFolder('kubeconfig');
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'config');
  writeFileSync(file, text, { mode: 0o600 });
  return file;
}
