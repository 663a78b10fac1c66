import { setTimeout as sleep } from 'node:timers/promises';
import { type ApiResponse, type KubernetesApi, KubernetesRefused } from '../../../../kubernetes/client/api.ts';
import { describeObject, type KubernetesObject } from './kubernetes-object.ts';
import { ObjectPaths } from './object-paths.ts';

export interface ApplyOptions {
  /** The field manager that owns the fields from now on. */
  readonly manager: string;
  /** Takes fields over from other managers. */
  readonly force: boolean;
  readonly dryRun: boolean;
  /** Ends the wait for objects of the same update, but not a request in flight. */
  readonly signal: AbortSignal;
}

export interface ApplyResult {
  readonly live: KubernetesObject;
  /** The API server's warnings about fields that it does not know. */
  readonly warnings: readonly string[];
}

/** The API server does not know the kind. */
const NO_MATCH = 'NoMatch';
const APPLY_TYPE = { 'content-type': 'application/apply-patch+yaml' };
const JSON_TYPE = { 'content-type': 'application/json' };
/** A definition or namespace of the same update may exist in a moment; its webhook takes longer. */
const PAUSES = [200, 400, 800, 1600, 3200, 6400];
const WEBHOOK_MILLISECONDS = 60_000;
const WEBHOOK_PAUSE = 500;

/** Reads and changes any object of a cluster, through one connection. */
export class ObjectClient {
  readonly #connecting: () => Promise<KubernetesApi>;
  readonly #paths = new ObjectPaths(() => this.api());
  #api: Promise<KubernetesApi> | undefined;

  constructor(connecting: () => Promise<KubernetesApi>) {
    this.#connecting = connecting;
  }

  api(): Promise<KubernetesApi> {
    this.#api ??= this.#connecting();
    return this.#api;
  }

  /** Undefined: the API server does not know the kind yet. */
  isNamespaced(kind: Pick<KubernetesObject, 'apiVersion' | 'kind'>): Promise<boolean | undefined> {
    return this.#paths.isNamespaced(kind);
  }

  /** The live object; undefined: it, or its kind, does not exist. */
  async get(object: KubernetesObject, signal?: AbortSignal): Promise<KubernetesObject | undefined> {
    const path = await this.#paths.pathOf(object);
    return path === undefined ? undefined : (await this.api()).get<KubernetesObject>(path, { signal });
  }

  /** Applies an object on the server. Retries while objects that the same update creates are still starting. */
  async apply(object: KubernetesObject, options: ApplyOptions): Promise<ApplyResult> {
    const began = performance.now();
    for (let tries = 0; ; tries++) {
      try {
        return await this.#applyOnce(object, options);
      } catch (e) {
        const pause = options.dryRun ? undefined : findRetryPause(e, tries, performance.now() - began);
        if (pause === undefined) throw e;
        await sleep(pause, undefined, { signal: options.signal });
      }
    }
  }

  /** Begins to delete an object; returns whether it existed. */
  async remove(object: KubernetesObject, propagationPolicy: string): Promise<boolean> {
    const path = await this.#paths.pathOf(object);
    if (path === undefined) return false;
    const body = JSON.stringify({ kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy });
    const answer = await (await this.api()).send({ method: 'DELETE', path, headers: JSON_TYPE, body });
    if (answer.status === 404) return false;
    if (answer.status >= 300) throw parseRefusal(`delete ${describeObject(object)}`, answer);
    return true;
  }

  async #applyOnce(object: KubernetesObject, { manager, force, dryRun }: ApplyOptions): Promise<ApplyResult> {
    const action = `apply ${describeObject(object)}`;
    const path = await this.#paths.pathOf(object);
    if (path === undefined) {
      const message = `no matches for kind "${object.kind}" in version "${object.apiVersion}"`;
      throw new KubernetesRefused(action, { status: 404, reason: NO_MATCH, message });
    }
    const query = new URLSearchParams({
      fieldManager: manager,
      force: String(force),
      ...(dryRun && { dryRun: 'All' }),
    });
    const patch = { method: 'PATCH', path: `${path}?${query.toString()}`, headers: APPLY_TYPE };
    const answer = await (await this.api()).send({ ...patch, body: JSON.stringify(object) });
    if (answer.status >= 300) throw parseRefusal(action, answer);
    return { live: JSON.parse(answer.body) as KubernetesObject, warnings: readWarnings(answer) };
  }
}

/** How long to wait before the next try; undefined: a retry would not help. */
function findRetryPause(e: unknown, tries: number, spent: number): number | undefined {
  if (!(e instanceof KubernetesRefused)) return undefined;
  if (e.status === 404) return PAUSES[tries];
  const comingUp = e.status === 500 && e.message.includes('failed calling webhook');
  return comingUp && spent < WEBHOOK_MILLISECONDS ? WEBHOOK_PAUSE : undefined;
}

function parseRefusal(action: string, { status, body }: ApiResponse): KubernetesRefused {
  try {
    const { reason = '', message = '' } = JSON.parse(body) as { reason?: string; message?: string };
    return new KubernetesRefused(action, { status, reason, message });
  } catch {
    return new KubernetesRefused(action, { status, reason: '', message: body.trim().slice(0, 300) });
  }
}

/** `299 - "unknown field \"spec.x\""`, several in one header. */
function readWarnings({ headers }: ApiResponse): readonly string[] {
  const found = [
    ...[headers['warning'] ?? '']
      .flat()
      .join(', ')
      .matchAll(/299 \S+ ("(?:[^"\\]|\\.)*")/g),
  ];
  const texts = found.map(([, quoted = '""']) => quoted.slice(1, -1).replaceAll(/\\(.)/g, '$1'));
  return texts.filter((text) => text.startsWith('unknown field'));
}
