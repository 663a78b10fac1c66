import { afterAll, beforeAll, describe } from 'vitest';
import { makeClient } from './client.ts';
import { describeClients } from './describe-clients.ts';
import { describeHttp } from './describe-http.ts';
import { describeManagement } from './describe-management.ts';
import { describeQueries } from './describe-queries.ts';
import { describeRefusals } from './describe-refusals.ts';
import { describeTraffic } from './describe-traffic.ts';
import type { ConformanceTarget, ServingAccess } from './conformance-target.ts';

/** The suite that endpoints on every target must pass. It uses only their HTTP API. */
export function describeConformance({ name, capabilities, deploy, remove }: ConformanceTarget): void {
  describe(`${name}, as its clients see it`, () => {
    let deployed: ServingAccess | undefined;
    const given = () => {
      if (deployed) return deployed;
      throw new Error('Cannot query: nothing is deployed');
    };
    const client = makeClient(given);
    const parts = { given, client, capabilities };

    beforeAll(async () => void (deployed = await deploy()));
    afterAll(remove);

    describeQueries(parts);
    describeTraffic(parts);
    describeRefusals(parts);
    describeHttp(parts);
    describeManagement(parts);
    describeClients(parts);
  });
}
