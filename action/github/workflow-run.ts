import type { GitHub } from './connect.ts';
import { GitHubRefusal } from './refusal.ts';

export interface WorkflowRun {
  /** `completed`, or one of the states before. */
  readonly status: string;
  readonly attempt: number;
  readonly url: string;
}

/** How a workflow run stands; undefined: GitHub does not know it (any more). */
export async function readWorkflowRun({ octokit, place }: GitHub, id: number): Promise<WorkflowRun | undefined> {
  try {
    const { data } = await octokit.rest.actions.getWorkflowRun({ ...place, run_id: id });
    return { status: data.status ?? 'unknown', attempt: data.run_attempt ?? 1, url: data.html_url };
  } catch (e) {
    if (e instanceof GitHubRefusal && e.status === 404) return undefined;
    throw e;
  }
}
