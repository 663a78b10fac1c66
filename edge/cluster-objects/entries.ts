import type { KubernetesApi } from '../../kubernetes/client/api.ts';
import { endpointObjectName } from '../../schemas/environment/kubernetes-names.ts';
import { readServingEntry } from '../../schemas/deployment/parse-serving-entry.ts';
import { PAUSED_ANNOTATION, SERVING_ENTRY_LABEL, type ServingEntry } from '../../schemas/deployment/serving-entry.ts';
import type { ClusterObject } from './cluster-object.ts';
import { log, describeError } from '../log.ts';
import { WatchedObjects } from './watched-objects.ts';

/** Set to `true` on the ConfigMap of an entry, it makes queries of that endpoint be refused until it is removed. */
const STOPPED_ANNOTATION = 'davit.dev/stopped';

/** An endpoint as its ConfigMap describes it. */
export interface Entry extends ServingEntry {
  readonly stopped: boolean;
  /** In milliseconds since 1970, as all times here. Until then callers are asked to retry. */
  readonly pausedUntil: number;
  readonly created: number;
  readonly updated: number;
}

/** The endpoints, by name. An unreadable entry changes nothing: the last readable one stays in use. */
export class Entries {
  readonly #watched: WatchedObjects<ConfigMap>;
  readonly #byObject = new Map<string, Entry>();
  /** ConfigMaps that cannot be read and have no earlier readable version. */
  readonly #unreadable = new Set<string>();
  #byName: ReadonlyMap<string, Entry> = new Map();

  constructor(api: KubernetesApi, namespace: string) {
    const followed = { path: `/api/v1/namespaces/${namespace}/configmaps`, labelSelector: SERVING_ENTRY_LABEL };
    this.#watched = new WatchedObjects(api, followed, (name, object) => this.#note(name, object));
  }

  get synced(): boolean {
    return this.#watched.synced;
  }

  get all(): readonly Entry[] {
    return [...this.#byName.values()];
  }

  find(endpoint: string): Entry | undefined {
    return this.#byName.get(endpoint);
  }

  /** Whether an endpoint of that name exists but its entry cannot be read. */
  isUnreadable(endpoint: string): boolean {
    return this.#unreadable.has(endpointObjectName(endpoint));
  }

  follow(signal: AbortSignal): Promise<void> {
    return this.#watched.follow(signal);
  }

  #note(object: string, map: ConfigMap | undefined): void {
    this.#unreadable.delete(object);
    try {
      if (map) this.#byObject.set(object, readEntry(map));
      else this.#byObject.delete(object);
    } catch (e) {
      const isKnown = this.#byObject.has(object);
      if (!isKnown) this.#unreadable.add(object);
      const what = `cannot read an entry; ${isKnown ? 'keeping its last valid version' : 'refusing queries of its endpoint'}`;
      log('error', what, { configMap: object, why: describeError(e) });
    }
    const sorted = [...this.#byObject.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    this.#byName = new Map(sorted.map((e) => [e.name, e]));
  }
}

interface ConfigMap extends ClusterObject {
  readonly data?: Readonly<Record<string, string>>;
}

function readEntry({ metadata, data }: ConfigMap): Entry {
  const { annotations = {}, creationTimestamp = '', managedFields = [] } = metadata;
  const times = [creationTimestamp, ...managedFields.map((m) => m.time ?? '')].map((t) => Date.parse(t) || 0);
  return {
    ...readServingEntry(metadata.name, data),
    stopped: annotations[STOPPED_ANNOTATION] === 'true',
    pausedUntil: Date.parse(annotations[PAUSED_ANNOTATION] ?? '') || 0,
    created: times[0] ?? 0,
    updated: Math.max(...times),
  };
}
