import type { CheckFailure, ResourceType } from '../../pulumi-provider/provider.ts';
import type { LocalRouteInputs } from '../../schemas/environment/local-resources.ts';
import type { SupervisorId } from '../supervisor/supervisor-id.ts';
import { hasSupervisorOrState, readStatus, waitForEnd, withSupervisor } from '../supervisor/start-supervisor.ts';

/** The outputs of a route in the engine's state. */
export interface LocalRouteOutputs extends LocalRouteInputs {
  /** URL for queries. Not always known in a preview. */
  readonly url?: string;
}

/** `davit:local:Route`: the traffic shares of an endpoint's revisions. All shares change in one step. */
export function makeRouteResource(place: () => SupervisorId): ResourceType<LocalRouteInputs, LocalRouteOutputs> {
  return {
    check: ({ inputs }) => ({ inputs, failures: checkRoute(inputs) }),
    replaces: (path) => path === 'endpoint',
    create: async ({ inputs }, { preview, log, signal }) => {
      const outputs = preview ? inputs : await putRoute(place(), inputs, { say: log.progress }, signal);
      return { id: inputs.endpoint, outputs };
    },
    update: async ({ inputs, oldOutputs }, { preview, log, signal }) => {
      if (!preview) return putRoute(place(), inputs, { say: log.progress }, signal);
      const moves = inputs.gateway.port !== undefined && inputs.gateway.port !== oldOutputs.gateway.port;
      return moves || oldOutputs.url === undefined ? inputs : { ...inputs, url: oldOutputs.url };
    },
    read: async ({ id, inputs }) => {
      const status = await readStatus(place().root, place().environment);
      const found = status?.endpoints.find((e) => e.name === id);
      if (!found) return undefined;
      const { description, tags, entities, url } = found;
      const now = { ...inputs, endpoint: id, description, tags, entities };
      return { inputs: now, outputs: { ...now, url } };
    },
    delete: async ({ id }, { log, signal }) => {
      if (!(await hasSupervisorOrState(place()))) return;
      const progress = { say: log.progress };
      await withSupervisor(
        place(),
        async (client) => {
          const status = await client.status();
          const { ending } = await client.deleteRoute(id, { signal });
          if (ending) await waitForEnd(status, { progress });
        },
        { progress, signal },
      );
    },
  };
}

function checkRoute({ endpoint, entities }: LocalRouteInputs): readonly CheckFailure[] {
  const total = entities.reduce((sum, e) => sum + e.trafficPercentage, 0);
  if (total === 100) return [];
  const reason = `Cannot route "${endpoint}": its shares add up to ${total}, expected 100`;
  return [{ property: 'entities', reason }];
}

async function putRoute(
  place: SupervisorId,
  inputs: LocalRouteInputs,
  progress: { readonly say: (line: string) => void },
  signal: AbortSignal,
): Promise<LocalRouteOutputs> {
  const { url } = await withSupervisor(place, (client) => client.putRoute(inputs, { signal }), { progress, signal });
  return { ...inputs, url };
}
