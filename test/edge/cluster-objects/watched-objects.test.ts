import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ClusterObject } from '../../../edge/cluster-objects/cluster-object.ts';
import { WatchedObjects } from '../../../edge/cluster-objects/watched-objects.ts';
import type { KubernetesApi, WatchEvent } from '../../../kubernetes/client/api.ts';
import { until } from '../until.ts';

type Script = readonly (readonly WatchEvent[])[];

const object = (name: string, version: string): ClusterObject => ({ metadata: { name, resourceVersion: version } });
const page = (items: readonly ClusterObject[], version: string, next = '') => ({
  metadata: { resourceVersion: version, continue: next },
  items,
});

/** An API server that follows a script: pages for its lists, events for its watches; then its watches wait. */
function follow(pages: readonly object[], watches: Script) {
  const asked: string[] = [];
  const [lists, events] = [[...pages], [...watches]];
  const api = {
    get: (path: string) => {
      asked.push(path);
      const next = lists.shift();
      return next ? Promise.resolve(next) : Promise.reject(new Error('down'));
    },
    async *watch(path: string, { signal }: { signal?: AbortSignal } = {}) {
      asked.push(path);
      const now = events.shift();
      yield* now ?? [];
      if (!now) await new Promise((_done, fail) => signal?.addEventListener('abort', () => fail(new Error('ended'))));
    },
  } as unknown as KubernetesApi;
  const changes: string[] = [];
  const objects = new WatchedObjects(api, { path: '/list', labelSelector: 'a=b' }, (name, o) =>
    changes.push(`${name} ${o?.metadata.resourceVersion ?? 'gone'}`),
  );
  return { objects, changes, asked };
}

describe('WatchedObjects', () => {
  let ending: AbortController;
  beforeEach(() => (ending = new AbortController()));
  afterEach(() => ending.abort());

  it('reads all pages, then follows what changes', async () => {
    const { objects, changes, asked } = follow(
      [page([object('a', '1')], '', 'more'), page([object('b', '2')], '5')],
      [
        [
          { type: 'MODIFIED', object: object('a', '6') },
          { type: 'BOOKMARK', object: object('', '7') },
          { type: 'DELETED', object: object('b', '8') },
        ],
      ],
    );
    expect(objects.synced).toBe(false);
    void objects.follow(ending.signal);
    await until(() => changes.length === 4);
    expect(changes).toEqual(['a 1', 'b 2', 'a 6', 'b gone']);
    expect([objects.synced, ...objects.all.keys()]).toEqual([true, 'a']);
    expect(asked.slice(0, 2)).toEqual([
      '/list?labelSelector=a%3Db&limit=500',
      '/list?labelSelector=a%3Db&limit=500&continue=more',
    ]);
    expect(asked[2]).toContain('resourceVersion=5');
  });

  it('reads anew when its version is too old, tells only what differs, and keeps what it knows meanwhile', async () => {
    const gone = { type: 'ERROR', object: { code: 410 } } as const;
    const { objects, changes } = follow(
      [
        page([object('a', '1'), object('b', '2'), object('c', '3')], '5'),
        page([object('a', '1'), object('b', '9')], '9'),
      ],
      [[gone]],
    );
    void objects.follow(ending.signal);
    await until(() => changes.length === 3);
    expect(objects.all.size).toBe(3);
    await until(() => changes.length === 5);
    expect(changes.slice(3)).toEqual(['c gone', 'b 9']);
  });
});
