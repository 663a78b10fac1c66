import { type ApiResponse, type KubernetesApi } from '../../../../kubernetes/client/api.ts';
import type { ApiRequest } from '../../../../kubernetes/client/connection.ts';
import type { Context } from '../../../../pulumi-provider/provider.ts';
import { ObjectClient } from '../../../../offline/plugins/kubernetes/objects/object-client.ts';

export interface FakeCluster {
  readonly client: ObjectClient;
  /** Objects by their path; what is changed here is what is there. */
  readonly objects: Map<string, object>;
  /** Every PATCH and DELETE: its path, with the query. */
  readonly asked: ApiRequest[];
}

const KINDS: Readonly<Record<string, object>> = {
  '/api/v1': {
    resources: [
      { name: 'configmaps', kind: 'ConfigMap', namespaced: true },
      { name: 'namespaces', kind: 'Namespace', namespaced: false },
    ],
  },
};

/** An API server of ConfigMaps and Namespaces. `answer` says what it answers to a change; default: it is done. */
export function makeFakeCluster(answer?: (question: ApiRequest) => ApiResponse | undefined): FakeCluster {
  const objects = new Map<string, object>();
  const asked: ApiRequest[] = [];
  const api: Partial<KubernetesApi> = {
    get: <T>(path: string) => Promise.resolve((KINDS[path] ?? objects.get(path)) as T | undefined),
    list: () => Promise.resolve([]),
    send: (question) => {
      asked.push(question);
      const refused = answer?.(question);
      if (refused) return Promise.resolve(refused);
      const path = question.path.split('?')[0] ?? '';
      if (question.method === 'DELETE')
        return Promise.resolve({ status: objects.delete(path) ? 200 : 404, headers: {}, body: '{}' });
      if (!question.path.includes('dryRun')) objects.set(path, JSON.parse(question.body ?? '{}') as object);
      return Promise.resolve({ status: 200, headers: {}, body: question.body ?? '' });
    },
  };
  return { client: new ObjectClient(() => Promise.resolve(api as KubernetesApi)), objects, asked };
}

/** What an operation may look at; what it says is in `said`. */
export function makeContext(more: Partial<Context> = {}): Context & { readonly said: string[] } {
  const said: string[] = [];
  const say = (line: string) => void said.push(line);
  const log = { progress: say, info: say, warning: say, error: say };
  return { preview: false, signal: new AbortController().signal, timeoutSeconds: undefined, log, said, ...more };
}
