import { setTimeout as sleep } from 'node:timers/promises';
import { type KubernetesApi, KubernetesRefused } from '../../../kubernetes/api.ts';
import type { KubernetesObject } from './kubernetes-object.ts';

export interface ApplyOptions {
  /** Who owns the fields from now on. */
  readonly manager: string;
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
}

interface ResourceList {
  readonly resources: readonly { readonly name: string; readonly kind: string; readonly namespaced: boolean }[];
}

const RETRY_MILLISECONDS = 500;
const WEBHOOK_SECONDS = 60;
const POLL_MILLISECONDS = 300;

/** Any object of a cluster, through one connection. */
export class ObjectClient {
  readonly #connecting: () => Promise<KubernetesApi>;
  readonly #kinds = new Map<string, ResourceList>();
  #api: Promise<KubernetesApi> | undefined;

  constructor(connecting: () => Promise<KubernetesApi>) {
    this.#connecting = connecting;
  }

  /** The live object; undefined: it is not there, or no object of its kind can be. */
  async get(object: KubernetesObject, signal: AbortSignal): Promise<KubernetesObject | undefined> {
    const path = await this.#path(object);
    return path === undefined ? undefined : (await this.api()).get<KubernetesObject>(path, { signal });
  }

  /** Applies an object, which takes over the fields that it names; waits for webhooks that are still coming up. */
  async apply(object: KubernetesObject, { manager, dryRun, signal }: ApplyOptions): Promise<KubernetesObject> {
    const path = await this.#path(object);
    if (path === undefined)
      throw new KubernetesRefused(`apply ${object.kind} "${object.metadata.name}"`, {
        status: 404,
        reason: 'NoMatch',
        message: `no matches for kind "${object.kind}" in version "${object.apiVersion}"`,
      });
    const query = new URLSearchParams({ fieldManager: manager, force: 'true', ...(dryRun && { dryRun: 'All' }) });
    const headers = { 'content-type': 'application/apply-patch+yaml' };
    const question = { method: 'PATCH', path: `${path}?${query.toString()}`, headers, body: JSON.stringify(object) };
    const end = performance.now() + WEBHOOK_SECONDS * 1000;
    for (;;) {
      const { status, body } = await (await this.api()).send(question, { signal });
      if (status < 300) return JSON.parse(body) as KubernetesObject;
      const refused = readRefusal(object, status, body);
      const comingUp = status === 500 && /failed calling webhook/.test(refused.message) && !dryRun;
      if (!comingUp || performance.now() > end) throw refused;
      await sleep(RETRY_MILLISECONDS, undefined, { signal });
    }
  }

  /** Deletes an object and waits until it is gone; what it owns goes before or after it as `policy` says. */
  async delete(
    object: KubernetesObject,
    { policy, signal, limitSeconds }: { policy: string; signal: AbortSignal; limitSeconds: number },
  ): Promise<void> {
    const path = await this.#path(object);
    if (path === undefined) return;
    const api = await this.api();
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy: policy });
    const answer = await api.send({ method: 'DELETE', path, headers, body }, { signal });
    if (answer.status === 404) return;
    if (answer.status >= 300) throw readRefusal(object, answer.status, answer.body);
    const end = performance.now() + limitSeconds * 1000;
    for (let live = await this.get(object, signal); live; live = await this.get(object, signal)) {
      if (performance.now() > end)
        throw new Error(
          `Cannot delete ${object.kind} "${object.metadata.name}" within ${limitSeconds} s: it has the finalizers ${JSON.stringify(live.metadata['finalizers'] ?? [])}, expected them to be done`,
        );
      await sleep(POLL_MILLISECONDS, undefined, { signal });
    }
  }

  api(): Promise<KubernetesApi> {
    this.#api ??= this.#connecting();
    return this.#api;
  }

  async #path({ apiVersion, kind, metadata }: KubernetesObject): Promise<string | undefined> {
    const base = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const find = (list: ResourceList | undefined) =>
      list?.resources.find((r) => r.kind === kind && !r.name.includes('/'));
    const known = find(this.#kinds.get(base)) ?? find(await this.#read(base));
    if (!known) return undefined;
    const inside = known.namespaced ? `/namespaces/${metadata.namespace ?? 'default'}` : '';
    return `${base}${inside}/${known.name}/${metadata.name}`;
  }

  /** Kinds come with definitions that are applied meanwhile: one that is not known is looked for again. */
  async #read(base: string): Promise<ResourceList | undefined> {
    const list = await (await this.api()).get<ResourceList>(base);
    if (list) this.#kinds.set(base, list);
    return list;
  }
}

function readRefusal({ kind, metadata }: KubernetesObject, status: number, body: string): KubernetesRefused {
  const asked = `apply ${kind} "${metadata.name}"`;
  try {
    const { reason = '', message = '' } = JSON.parse(body) as { reason?: string; message?: string };
    return new KubernetesRefused(asked, { status, reason, message });
  } catch {
    return new KubernetesRefused(asked, { status, reason: '', message: body.trim().slice(0, 300) });
  }
}
