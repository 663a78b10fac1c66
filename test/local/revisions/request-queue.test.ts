import { describe, expect, it } from 'vitest';
import { RequestQueue } from '../../../local/revisions/request-queue.ts';

describe('RequestQueue', () => {
  it('gives places in the order of arrival, and skips requests that have left', async () => {
    const queue = new RequestQueue<string>();
    const [first, second, third] = [queue.wait(1), queue.wait(2), queue.wait(3)];
    second.leave();
    expect(queue.length).toBe(2);
    queue.give('a');
    queue.give('b');
    expect([await first.place, await third.place]).toEqual(['a', 'b']);
    expect(() => queue.give('c')).toThrow('no request is waiting');
  });

  it('refuses requests that have waited since before a time, or all requests', async () => {
    const queue = new RequestQueue<string>();
    const waiting = [10, 20, 30].map((now) => queue.wait(now).place.catch((e: unknown) => (e as Error).message));
    queue.refuse(new Error('too long'), 25);
    expect(queue.length).toBe(1);
    queue.refuse(new Error('over'));
    expect(await Promise.all(waiting)).toEqual(['too long', 'too long', 'over']);
  });
});
