import { sanitizeText } from '../../schemas/values/sanitize-text.ts';
import { type ModelLoading, parseModelLoading } from '../../schemas/endpoint/worker-mode.ts';
import { WORKER_REPORT_KEY, WORKER_REPORT_LABEL, type WorkerReport } from '../../schemas/deployment/worker-report.ts';
import { parseJsonFields } from '../../system/parse-json-fields.ts';
import { sendThroughActivator } from '../activator.ts';
import { type MakeMark, MARK_HEADER } from '../marks.ts';
import type { KubernetesApi } from '../client/api.ts';
import { applyRecord, listRecords, type RecordKind } from '../client/record.ts';

const RECORD: RecordKind = { label: WORKER_REPORT_LABEL, key: WORKER_REPORT_KEY };
/** The rollout waits for this, so it is short. */
const LIMIT_SECONDS = 5;
/** The model's own process reports these values, so they are cut to a readable length. */
const [MOST_FOUND, FOUND_CHARACTERS] = [20, 100];

export interface WorkerReportRequest {
  readonly namespace: string;
  readonly endpoint: string;
  /** The name of the Knative Revision. It must have a replica, because the request would wake it. */
  readonly revision: string;
  /** How many workers its model server was started with. */
  readonly workers: number;
  /** Makes the mark of a request; undefined: the model server expects none. */
  readonly mark?: MakeMark | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads from a running revision how its workers run, and writes that into a ConfigMap for `davit status`. Reading it
 * from a pod would need a right that nothing else needs, and a request would keep the revision awake. The ConfigMap is
 * owned by the Revision and deleted with it. An annotation of the Revision would also be on its pods, and restart them.
 */
export async function recordWorkerReport(api: KubernetesApi, reported: WorkerReportRequest): Promise<void> {
  const { namespace, endpoint, revision, workers, signal } = reported;
  const options = { signal, limitSeconds: LIMIT_SECONDS };
  const [loading, owner] = await Promise.all([
    fetchModelLoading(api, reported),
    api.get<Owner>(`/apis/serving.knative.dev/v1/namespaces/${namespace}/revisions/${revision}`, options),
  ]);
  if (!loading || !owner) return;
  const report: WorkerReport = { revision, ...loading, count: loading.mode === 'one' ? 1 : workers };
  const { uid } = owner.metadata;
  const record = {
    ...{ ...RECORD, namespace, endpoint, name: `${revision}-workers`, value: report },
    owner: { apiVersion: 'serving.knative.dev/v1', kind: 'Revision', name: revision, uid },
  };
  await applyRecord(api, record, options);
}

/** The reports of a namespace, by the name of the Knative Revision. */
export async function readWorkerReports(
  api: KubernetesApi,
  namespace: string,
): Promise<ReadonlyMap<string, WorkerReport>> {
  const reports = (await listRecords(api, namespace, RECORD)).flatMap((text) => parseReport(text) ?? []);
  return new Map(reports.map((report) => [report.revision, report]));
}

interface Owner {
  readonly metadata: { readonly uid: string };
}

/** Undefined: an older model server, which does not report this. */
async function fetchModelLoading(
  api: KubernetesApi,
  { namespace, revision, signal, mark }: WorkerReportRequest,
): Promise<ModelLoading | undefined> {
  const marked = mark && { headers: { [MARK_HEADER]: mark(LIMIT_SECONDS) } };
  const request = { namespace, revision, method: 'GET', path: '/status', ...marked } as const;
  const { status, body } = await sendThroughActivator(api, request, { signal, limitSeconds: LIMIT_SECONDS });
  const fields = status === 200 ? parseJsonFields(body) : {};
  const loading = parseModelLoading(fields);
  return loading && { ...loading, found: loading.found.slice(0, MOST_FOUND).map(shorten) };
}

/** Undefined: somebody has edited the report by hand and broken it. */
function parseReport(text: string): WorkerReport | undefined {
  const { revision, mode, found, count, isOnlyLoaded } = parseJsonFields(text);
  const loading = parseModelLoading({ worker_mode: mode, found, rehearsed: isOnlyLoaded !== true });
  if (!loading || typeof revision !== 'string' || typeof count !== 'number') return undefined;
  return { revision, ...loading, count };
}

function shorten(found: string): string {
  return sanitizeText(found).slice(0, FOUND_CHARACTERS);
}
