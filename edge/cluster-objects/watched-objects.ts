import { setTimeout as sleep } from 'node:timers/promises';
import type { KubernetesApi } from '../../kubernetes/client/api.ts';
import type { ClusterObject } from './cluster-object.ts';
import { log, describeError } from '../log.ts';

/** The list to follow; `path` is its path without a query. */
export interface WatchedList {
  readonly path: string;
  readonly labelSelector?: string;
}

const FIRST_PAUSE_MILLISECONDS = 500;
const LONGEST_PAUSE_MILLISECONDS = 10_000;
const LIST_MILLISECONDS = 15_000;
/** The API server ends a watch after this long, which also ends a connection that died silently. */
const WATCH_SECONDS = 120;
const PAGE = 500;

/** The current objects of one list: read once, then watched. During an outage the last known objects stay. */
export class WatchedObjects<T extends ClusterObject = ClusterObject> {
  readonly #api: KubernetesApi;
  readonly #followed: WatchedList;
  readonly #onChange: (name: string, object: T | undefined) => void;
  #objects = new Map<string, T>();
  #synced = false;

  constructor(
    api: KubernetesApi,
    followed: WatchedList,
    onChange: (name: string, object: T | undefined) => void = () => undefined,
  ) {
    this.#api = api;
    this.#followed = followed;
    this.#onChange = onChange;
  }

  /** Whether the whole list has been read at least once. */
  get synced(): boolean {
    return this.#synced;
  }

  get all(): ReadonlyMap<string, T> {
    return this.#objects;
  }

  /** Follows the list until the signal aborts; never rejects. */
  async follow(signal: AbortSignal): Promise<void> {
    for (let pause = FIRST_PAUSE_MILLISECONDS; !signal.aborted;) {
      try {
        const version = await this.#read(signal);
        pause = FIRST_PAUSE_MILLISECONDS;
        await this.#watch(version, signal);
      } catch (e) {
        if (isAborted(signal)) return;
        log('warning', 'cannot watch objects', { path: this.#followed.path, why: describeError(e) });
      }
      await sleep(pause, undefined, { signal }).catch(() => undefined);
      pause = Math.min(pause * 2, LONGEST_PAUSE_MILLISECONDS);
    }
  }

  async #read(signal: AbortSignal): Promise<string> {
    const objects = new Map<string, T>();
    let [version, next] = ['', ''];
    do {
      const page = await this.#readPage(next, signal);
      for (const object of page.items ?? []) objects.set(object.metadata.name, object);
      version = page.metadata?.resourceVersion ?? '';
      next = page.metadata?.continue ?? '';
    } while (next !== '');
    const before = this.#objects;
    this.#objects = objects;
    for (const name of before.keys()) if (!objects.has(name)) this.#onChange(name, undefined);
    for (const [name, object] of objects)
      if (readVersion(before.get(name)) !== readVersion(object)) this.#onChange(name, object);
    this.#synced = true;
    return version;
  }

  async #readPage(next: string, signal: AbortSignal): Promise<Page<T>> {
    const query = this.#query({ limit: String(PAGE), ...(next && { continue: next }) });
    const limited = AbortSignal.any([signal, AbortSignal.timeout(LIST_MILLISECONDS)]);
    return (await this.#api.get(`${this.#followed.path}?${query}`, { signal: limited })) as Page<T>;
  }

  /** Watches as long as the API server continues from the last version. */
  async #watch(from: string, signal: AbortSignal): Promise<void> {
    for (let version = from; !signal.aborted;) {
      const query = this.#query({
        watch: 'true',
        allowWatchBookmarks: 'true',
        resourceVersion: version,
        timeoutSeconds: String(WATCH_SECONDS),
      });
      const began = performance.now();
      const limited = AbortSignal.any([signal, AbortSignal.timeout((WATCH_SECONDS + 30) * 1000)]);
      for await (const event of this.#api.watch(`${this.#followed.path}?${query}`, { signal: limited })) {
        const { type } = event;
        if (type === 'ERROR') return; // its version is too old: read everything again
        const object = event.object as T;
        version = readVersion(object) ?? version;
        if (type !== 'BOOKMARK') this.#note(type, object);
      }
      if (performance.now() - began < FIRST_PAUSE_MILLISECONDS) return; // it ended at once: avoid a tight loop
    }
  }

  #note(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: T): void {
    const { name } = object.metadata;
    if (type === 'DELETED') this.#objects.delete(name);
    else this.#objects.set(name, object);
    this.#onChange(name, type === 'DELETED' ? undefined : object);
  }

  #query(more: Readonly<Record<string, string>>): string {
    const { labelSelector } = this.#followed;
    return new URLSearchParams({ ...(labelSelector !== undefined && { labelSelector }), ...more }).toString();
  }
}

interface Page<T> {
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
  readonly items?: readonly T[];
}

function readVersion(object: ClusterObject | undefined): string | undefined {
  return object?.metadata.resourceVersion;
}

function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}
