import type { KubernetesApi } from '../kubernetes/api.ts';
import {
  PAUSED_ANNOTATION,
  SERVING_ENTRY_KEY,
  SERVING_ENTRY_LABEL,
  type ServingEntry,
} from '../schemas/serving-entry.ts';
import type { ClusterObject } from './cluster-object.ts';
import { log, sentenceOf } from './log.ts';
import { parseEntry } from './parse-entry.ts';
import { WatchedObjects } from './watched-objects.ts';

/** `true` on the ConfigMap of an entry: queries of that endpoint are refused until it is taken away. */
const STOPPED_ANNOTATION = 'davit.dev/stopped';

/** An endpoint as its ConfigMap says it. */
export interface Entry extends ServingEntry {
  readonly stopped: boolean;
  /** Milliseconds since 1970, as all times here: until then callers are told to come again. */
  readonly pausedUntil: number;
  readonly created: number;
  readonly updated: number;
}

/** The endpoints, by name. An entry that cannot be read changes nothing: the last good one goes on. */
export class Entries {
  readonly #watched: WatchedObjects<ConfigMap>;
  readonly #byObject = new Map<string, Entry>();
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

  follow(signal: AbortSignal): Promise<void> {
    return this.#watched.follow(signal);
  }

  #note(object: string, map: ConfigMap | undefined): void {
    try {
      if (map) this.#byObject.set(object, readEntry(map));
      else this.#byObject.delete(object);
    } catch (e) {
      log('error', 'cannot read an entry; the last good one goes on', { configMap: object, why: sentenceOf(e) });
    }
    const sorted = [...this.#byObject.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    this.#byName = new Map(sorted.map((e) => [e.name, e]));
  }
}

interface ConfigMap extends ClusterObject {
  readonly data?: Readonly<Record<string, string>>;
}

function readEntry({ metadata, data }: ConfigMap): Entry {
  const text = data?.[SERVING_ENTRY_KEY];
  if (text === undefined) throw new TypeError(`Cannot find ${SERVING_ENTRY_KEY} in its data`);
  const { annotations = {}, creationTimestamp = '', managedFields = [] } = metadata;
  const times = [creationTimestamp, ...managedFields.map((m) => m.time ?? '')].map((t) => Date.parse(t) || 0);
  return {
    ...parseEntry(text),
    stopped: annotations[STOPPED_ANNOTATION] === 'true',
    pausedUntil: Date.parse(annotations[PAUSED_ANNOTATION] ?? '') || 0,
    created: times[0] ?? 0,
    updated: Math.max(...times),
  };
}
