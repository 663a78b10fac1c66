import { setTimeout as sleep } from 'node:timers/promises';
import * as pulumi from '@pulumi/pulumi';
import type { KubernetesApi } from '../../../kubernetes/api.ts';
import { findEdge, requestClientToken } from '../../../kubernetes/edge-access.ts';
import { reachEdge } from '../../../kubernetes/reach-edge.ts';
import { clearFailure } from '../../../kubernetes/update-failure.ts';
import type { Entity } from '../../../schemas/endpoint.ts';
import type { KubernetesEnvironment } from '../../../schemas/environment.ts';
import { locateModel, readInputExample } from '../../../system/locate-model.ts';
import type { Declaration } from '../../declaration.ts';

export interface Verification {
  readonly api: KubernetesApi;
  readonly declaration: Declaration<KubernetesEnvironment>;
  /** Who is asked. */
  readonly entities: readonly Entity[];
  readonly after: pulumi.Output<unknown>;
}

/** Until the edge and Kourier know of a change. */
const LIMIT_MILLISECONDS = 60_000;
const PAUSE_MILLISECONDS = 250;
const REACH_SECONDS = 5;
const TOKEN_SECONDS = 600;
const SHOWN_CHARACTERS = 300;
/** The endpoint's own rate limit has let others through in the last minute, so the way to it is there. */
const LIMITED = '"REQUEST_LIMIT_EXCEEDED"';

/** Asks entities by their own paths, as a client would; the address of the endpoint, once all have answered. */
export function verifyThroughEdge({ api, declaration, entities, after }: Verification): pulumi.Output<string> {
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
        `Cannot reach the edge at ${edge} from here (${unreached}), so nothing was asked through it: expected gateway.url in ${environment.file} to say where clients reach it`,
      );
      return url;
    }
    for (const entity of entities) {
      const path = `${edge}/serving-endpoints/${endpoint.name}/served-models/${entity.name}/invocations`;
      await ask(path, {
        token,
        body: await readInputExample(locateModel(declaration.root, entity.model)),
        entity: entity.name,
      });
    }
    return url;
  });
}

interface Question {
  readonly token: string;
  /** Undefined: the model's files are not on this machine. */
  readonly body: string | undefined;
  readonly entity: string;
}

/** A refusal of the request itself is an answer too when there is no example to ask with. */
async function ask(url: string, { token, body = '{}', entity }: Question): Promise<void> {
  const expected = body === '{}' ? [200, 400] : [200];
  const end = performance.now() + LIMIT_MILLISECONDS;
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  for (;;) {
    const answer = await fetch(url, { method: 'POST', headers, body }).then(
      async (response) => ({ status: response.status, text: await response.text() }),
      (e: unknown) => ({ status: 0, text: String(e) }),
    );
    if (expected.includes(answer.status) || answer.text.includes(LIMITED)) return;
    if (performance.now() > end) {
      const shown = answer.text.trim().slice(0, SHOWN_CHARACTERS);
      throw new pulumi.RunError(
        `Cannot verify "${entity}" through the edge: ${url} answers ${answer.status} ${shown}, expected 200. The new revisions have the traffic and the old ones are still there: put the file back and deploy again to return to them`,
      );
    }
    await sleep(PAUSE_MILLISECONDS);
  }
}
