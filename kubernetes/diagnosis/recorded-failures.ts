import { endpointObjectName } from '../../schemas/environment/kubernetes-names.ts';
import {
  UPDATE_FAILURE_KEY,
  UPDATE_FAILURE_LABEL,
  type UpdateFailure,
} from '../../schemas/deployment/update-failure.ts';
import type { KubernetesApi } from '../client/api.ts';
import { applyRecord, listRecords, type RecordKind } from '../client/record.ts';

const RECORD: RecordKind = { label: UPDATE_FAILURE_LABEL, key: UPDATE_FAILURE_KEY };

export interface FailureScope {
  readonly namespace: string;
  readonly endpoint: string;
}

interface Owner {
  readonly metadata: { readonly uid: string };
}

/**
 * Records why an update failed, for later queries. The record is deleted with the ServiceAccount `owner` at the latest.
 */
export async function recordFailure(
  api: KubernetesApi,
  failure: UpdateFailure,
  { namespace, owner }: { readonly namespace: string; readonly owner: string },
): Promise<void> {
  const account = await api.get<Owner>(`/api/v1/namespaces/${namespace}/serviceaccounts/${owner}`);
  const { endpoint } = failure;
  await applyRecord(api, {
    ...{ ...RECORD, namespace, endpoint, name: makeRecordName(endpoint), value: failure },
    owner: account && { apiVersion: 'v1', kind: 'ServiceAccount', name: owner, uid: account.metadata.uid },
  });
}

/** Removes the record after an update has succeeded. */
export async function clearFailure(api: KubernetesApi, { namespace, endpoint }: FailureScope): Promise<void> {
  await api.remove(`/api/v1/namespaces/${namespace}/configmaps/${makeRecordName(endpoint)}`);
}

/** Removes the Configuration of a failed revision with its pods, so that others can use its resources. */
export async function removeConfiguration(
  api: KubernetesApi,
  { namespace, configuration }: { readonly namespace: string; readonly configuration: string },
): Promise<void> {
  await api.remove(`/apis/serving.knative.dev/v1/namespaces/${namespace}/configurations/${configuration}`);
}

/** The recorded failures of a namespace. */
export async function readFailures(api: KubernetesApi, namespace: string): Promise<readonly UpdateFailure[]> {
  return (await listRecords(api, namespace, RECORD)).flatMap((text) => parseFailure(text) ?? []);
}

/** Parses a record; undefined: somebody has edited it by hand and broken it. */
function parseFailure(text: string): UpdateFailure | undefined {
  try {
    return JSON.parse(text) as UpdateFailure;
  } catch {
    return undefined;
  }
}

function makeRecordName(endpoint: string): string {
  return `${endpointObjectName(endpoint)}-failure`;
}
