import { setTimeout as sleep } from 'node:timers/promises';
import * as pulumi from '@pulumi/pulumi';
import type { KubernetesApi } from '../../../kubernetes/client/api.ts';
import { findEdge, requestClientToken } from '../../../kubernetes/edge-access.ts';
import { reachEdge } from '../../../kubernetes/reach-edge.ts';
import { clearFailure } from '../../../kubernetes/diagnosis/recorded-failures.ts';
import type { Entity } from '../../../schemas/endpoint/endpoint.ts';
import type { KubernetesEnvironment } from '../../../schemas/environment/environment.ts';
import { EMPTY_REQUEST, readSampleRequest, type SampleRequest } from '../../../system/sample-request.ts';
import type { Declaration } from '../../declaration.ts';
import { explainTraffic } from './explain-traffic.ts';

export interface Verification {
  readonly api: KubernetesApi;
  readonly declaration: Declaration<KubernetesEnvironment>;
  readonly queries: readonly VerifiedEntity[];
  readonly after: pulumi.Output<unknown>;
  /** Aborts when nobody waits for the verification any more. */
  readonly signal: AbortSignal;
}

/** An entity to query with its example. */
export interface VerifiedEntity {
  readonly entity: Entity;
  readonly revision: string;
  /** Whether this revision had traffic before the update. */
  readonly servedBefore: boolean;
}

/** How long the edge and Kourier may take to learn of a change. */
const LIMIT_MILLISECONDS = 60_000;
/** Later than the model server's own limit, whose message says more. */
const MARGIN_SECONDS = 5;
const PAUSE_MILLISECONDS = 250;
const REACH_SECONDS = 5;
const TOKEN_SECONDS = 600;
const SHOWN_CHARACTERS = 300;
/**
 * The endpoint's own rate limit refused the query. Others have passed in the last minute, so the endpoint is reachable.
 */
const LIMITED = '"REQUEST_LIMIT_EXCEEDED"';

/** Queries entities by their own paths, as a client would. Returns the endpoint's URL once all have answered. */
export function verifyThroughEdge({ api, declaration, queries, after, signal }: Verification): pulumi.Output<string> {
  if (pulumi.runtime.isDryRun()) return pulumi.output(pulumi.unknown) as unknown as pulumi.Output<string>;
  return after.apply(async () => {
    const { endpoint, environment } = declaration;
    await clearFailure(api, { namespace: environment.namespace, endpoint: endpoint.name });
    const edge = await findEdge(api, environment);
    const url = `${edge}/serving-endpoints/${endpoint.name}/invocations`;
    const token = await requestClientToken(api, environment, TOKEN_SECONDS);
    const unreached = await reachEdge(edge, REACH_SECONDS);
    if (unreached !== undefined && environment.gateway.url === undefined) {
      void pulumi.log.warn(
        `Cannot reach the edge at ${edge} from here (${unreached}), so the endpoint was not verified through it: expected gateway.url in ${environment.file} to say where clients reach it`,
      );
      return url;
    }
    for (const query of queries) {
      const { entity } = query;
      const path = `${edge}/serving-endpoints/${endpoint.name}/served-models/${entity.name}/invocations`;
      const sample = await readSampleRequest(declaration.root, entity, declaration.lock);
      const wrong = await queryUntilAnswered(path, {
        token,
        sample,
        limitSeconds: entity.timeLimitSeconds + MARGIN_SECONDS,
        signal,
      });
      if (wrong === undefined) continue;
      const there = await explainTraffic(api, query, { namespace: environment.namespace, endpoint: endpoint.name });
      throw new pulumi.RunError(
        `Cannot verify "${entity.name}" through the edge: ${path} ${wrong}, expected an answer with 200. ${there}`,
      );
    }
    return url;
  });
}

interface EdgeQuery {
  readonly token: string;
  /** Undefined: the model has no example, or its files are not on this machine. */
  readonly sample: SampleRequest | undefined;
  /** The limit of one request. */
  readonly limitSeconds: number;
  readonly signal: AbortSignal;
}

/** What is wrong with the answer. Without an example, a 400 proves that the model server answers. */
async function queryUntilAnswered(
  url: string,
  { token, sample, limitSeconds, signal }: EdgeQuery,
): Promise<string | undefined> {
  const expected = sample ? [200] : [200, 400];
  const { body, contentType } = sample ?? EMPTY_REQUEST;
  const end = performance.now() + LIMIT_MILLISECONDS;
  const headers = { authorization: `Bearer ${token}`, 'content-type': contentType };
  for (;;) {
    const limit = AbortSignal.timeout(limitSeconds * 1000);
    const answer = await fetch(url, { method: 'POST', headers, body, signal: AbortSignal.any([limit, signal]) }).then(
      async (response) => ({ status: response.status, text: await response.text() }),
      (e: unknown) => ({ status: 0, text: limit.aborted ? `for ${limitSeconds} s` : `(${String(e)})` }),
    );
    if (expected.includes(answer.status) || answer.text.includes(LIMITED)) return undefined;
    if (performance.now() > end) {
      const shown = answer.text.trim().slice(0, SHOWN_CHARACTERS);
      return answer.status === 0 ? `does not answer ${shown}` : `answers ${answer.status} ${shown}`;
    }
    await sleep(PAUSE_MILLISECONDS, undefined, { signal });
  }
}
