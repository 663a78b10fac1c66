import type { GitHub } from './connect.ts';
import { isNotFoundError } from './request-error.ts';

export interface WorkflowRun {
  /** `completed`, or an earlier state. */
  readonly status: string;
  readonly attempt: number;
  readonly url: string;
  /** The time of the last change; once the run has ended, that of its end. ISO 8601. */
  readonly updatedAt: string;
}

/** The state of a workflow run; undefined: GitHub does not know it (any more). */
export async function readWorkflowRun({ octokit, place }: GitHub, id: number): Promise<WorkflowRun | undefined> {
  try {
    const { data } = await octokit.rest.actions.getWorkflowRun({ ...place, run_id: id });
    return {
      status: data.status ?? 'unknown',
      attempt: data.run_attempt ?? 1,
      url: data.html_url,
      updatedAt: data.updated_at,
    };
  } catch (e) {
    if (isNotFoundError(e)) return undefined;
    throw e;
  }
}
