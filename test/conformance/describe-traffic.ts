import { Agent } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { HttpResponse } from '../prober/send-http-request.ts';
import { FLOWER } from './client.ts';
import { ENTITY, SPLIT } from './endpoint-files.ts';
import type { SuiteContext } from './suite-context.ts';

const REQUESTS = 400;
const CONCURRENCY = 4;
const SHARE = 0.1;
/** Five standard deviations of the binomial distribution. By chance, one run in two million deviates more. */
const MAX_DEVIATION = 5 * Math.sqrt(REQUESTS * SHARE * (1 - SHARE));

/** Tests how often each entity answers. */
export function describeTraffic({ client }: SuiteContext): void {
  describe('traffic', () => {
    it.each(['kept', 'fresh'] as const)('is split 90 to 10 to 0 over %s connections', async (connections) => {
      const agent = new Agent({ keepAlive: true });
      onTestFinished(() => agent.destroy());
      const heard: HttpResponse[] = [];
      const ask = async () => {
        for (let n = 0; n < REQUESTS / CONCURRENCY; n++)
          heard.push(await client.query(SPLIT, FLOWER.dataframe_split, connections === 'kept' ? { agent } : {}));
      };
      await Promise.all(Array.from({ length: CONCURRENCY }, ask));
      expect(new Set(heard.map((h) => h.status))).toEqual(new Set([200]));
      const count = (entity: string) => heard.filter((h) => h.headers['served-model-name'] === entity).length;
      expect(count(ENTITY.champion) + count(ENTITY.challenger)).toBe(REQUESTS);
      expect(count(ENTITY.shadow)).toBe(0);
      expect(Math.abs(count(ENTITY.challenger) - REQUESTS * SHARE)).toBeLessThan(MAX_DEVIATION);
      // The two versions answer differently, so that each header can be checked.
      for (const { headers, body } of heard)
        expect(body.trim()).toBe(
          headers['served-model-name'] === ENTITY.champion ? '{"predictions": [0]}' : '{"predictions": ["setosa"]}',
        );
    });
  });
}
