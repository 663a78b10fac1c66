import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KubernetesApi } from '../../../kubernetes/api.ts';
import { connectCluster } from '../../../kubernetes/connect.ts';
import { loadKubeconfig } from '../../../kubernetes/load-kubeconfig.ts';
import type { Settings } from './settings.ts';

/** There is no cluster to ask: its kubeconfig says nothing, or not how to log in. */
export class NotConnected extends Error {}

/** A cluster that a program names by the path of a kubeconfig, by its text, or not at all. */
export class ClusterPlace {
  readonly #settings: () => Settings;
  #file: string | undefined;

  constructor(settings: () => Settings) {
    this.#settings = settings;
  }

  async connect(): Promise<KubernetesApi> {
    try {
      return await connectCluster(this.#kubectlPlace(), process.cwd());
    } catch (e) {
      throw new NotConnected((e as Error).message, { cause: e });
    }
  }

  /** The namespace of objects that name none. */
  async namespace(): Promise<string> {
    const { namespace } = this.#settings();
    if (namespace !== undefined) return namespace;
    const config = await loadKubeconfig({ ...this.#kubectlPlace(), root: process.cwd() }).catch(() => undefined);
    return config?.getContextObject(config.getCurrentContext())?.namespace ?? 'default';
  }

  #kubectlPlace() {
    const { kubeconfig, context } = this.#settings();
    const isText = kubeconfig !== undefined && (kubeconfig.includes('\n') || kubeconfig.trimStart().startsWith('{'));
    return { kubeconfig: isText ? (this.#file ??= keepText(kubeconfig)) : kubeconfig, context };
  }
}

/** Logins are renewed from a file; this one is nobody else's, and goes with this process. */
function keepText(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'davit-kubeconfig-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'config');
  writeFileSync(file, text, { mode: 0o600 });
  return file;
}
