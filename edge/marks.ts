import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  deriveKey,
  KEY_NAME,
  makeMark,
  markAudience,
  type MarkKeys,
  PREVIOUS_KEY_NAME,
  readMarkKeys,
} from '../kubernetes/marks.ts';
import { endpointObjectName } from '../schemas/environment/kubernetes-names.ts';
import { describeError, log } from './log.ts';

export interface MarkSettings {
  /** The folder in which Kubernetes keeps the keys. */
  readonly folder: string;
  /** How long a request may take until it reaches a model: the upload of its body and a cold start. */
  readonly seconds: number;
}

/** A mark is used for requests of this long, because each signature costs a millisecond. */
const REUSE_SECONDS = 30;
/** The kubelet renews the folder within a minute or two. */
const READ_MILLISECONDS = 60_000;

/** Makes the marks of queries that may pass. */
export class Marks {
  readonly #settings: MarkSettings;
  readonly #namespace: string;
  readonly #made = new Map<string, { readonly mark: string; readonly until: number }>();
  #keys: MarkKeys;

  private constructor(settings: MarkSettings, namespace: string, keys: MarkKeys) {
    this.#settings = settings;
    this.#namespace = namespace;
    this.#keys = keys;
  }

  /** Reads the keys; rejects when there are none. */
  static async read(settings: MarkSettings, namespace: string): Promise<Marks> {
    return new Marks(settings, namespace, await readKeys(settings.folder));
  }

  of(endpoint: string): string {
    const now = Math.floor(Date.now() / 1000);
    const made = this.#made.get(endpoint);
    if (made && now < made.until && now >= made.until - REUSE_SECONDS) return made.mark;
    const expiry = now + REUSE_SECONDS + this.#settings.seconds;
    const mark = makeMark(this.#keys, markAudience(this.#namespace, endpointObjectName(endpoint)), expiry);
    this.#made.set(endpoint, { mark, until: now + REUSE_SECONDS });
    return mark;
  }

  /** The key that the replicas of this service share. */
  get peerKey(): Buffer {
    return deriveKey(this.#keys, 'davit peers');
  }

  /** Reads changed keys until the signal aborts. Unreadable ones change nothing. Never rejects. */
  async follow(signal: AbortSignal): Promise<void> {
    for (const isOver = () => signal.aborted; !isOver();) {
      await sleep(READ_MILLISECONDS, undefined, { signal, ref: false }).catch(() => undefined);
      try {
        this.#keys = await readKeys(this.#settings.folder);
        this.#made.clear();
      } catch (e) {
        log('error', 'cannot read the keys of marks; keeping the last ones', { why: describeError(e) });
      }
    }
  }
}

async function readKeys(folder: string): Promise<MarkKeys> {
  const current = await readFile(join(folder, KEY_NAME), 'utf8');
  const previous = await readFile(join(folder, PREVIOUS_KEY_NAME), 'utf8').catch((e: unknown) => {
    if (e instanceof Error && 'code' in e && e.code === 'ENOENT') return undefined;
    throw e;
  });
  return readMarkKeys([current, ...(previous === undefined ? [] : [previous])]);
}
