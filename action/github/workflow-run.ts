import type { GitHub } from './connect.ts';
import { GitHubRefusal } from './refusal.ts';

export interface WorkflowRun {
  /** `completed`, or one of the states before. */
  readonly status: string;
  readonly attempt: number;
  readonly url: string;
  /** When it last changed: when it ended, once it has. ISO 8601. */
  readonly updatedAt: string;
}

/** How a workflow run stands; undefined: GitHub does not know it (any more). */
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
    if (e instanceof GitHubRefusal && e.status === 404) return undefined;
    throw e;
  }
}
