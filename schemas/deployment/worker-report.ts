import type { ModelLoading } from '../endpoint/worker-mode.ts';

/** The worker mode that a deployed revision's model server reported: the `workers.json` of a ConfigMap. */
export interface WorkerReport extends ModelLoading {
  /** Name of the Knative Revision. */
  readonly revision: string;
  /** Workers of one replica. */
  readonly count: number;
}

export const WORKER_REPORT_LABEL = 'davit.dev/worker-report';
export const WORKER_REPORT_KEY = 'workers.json';
