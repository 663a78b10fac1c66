import { sendGraphql } from './send-graphql.ts';
import type { GitHub } from './connect.ts';

export interface StickyIssue {
  /** A hidden first line that no other issue of ours has. */
  readonly marker: string;
  readonly title: string;
  readonly body: string;
}

interface OpenIssue {
  readonly number: number;
  readonly title: string;
  readonly body: string;
}

/** Updates the one open issue with the marker, or opens it. Returns its number and what was done. */
export async function postIssue(github: GitHub, { marker, title, body }: StickyIssue) {
  const { octokit, place } = github;
  const text = `${marker}\n${body}`;
  const found = await findOpenIssue(github, marker);
  if (!found) {
    const { data } = await octokit.rest.issues.create({ ...place, title, body: text });
    return { number: data.number, done: 'created' } as const;
  }
  if (found.body === text && found.title === title) return { number: found.number, done: 'unchanged' } as const;
  await octokit.rest.issues.update({ ...place, issue_number: found.number, title, body: text });
  return { number: found.number, done: 'updated' } as const;
}

/**
 * Closes the open issue with the marker, with a comment that gives the reason. Returns its number; undefined: none was
 * open.
 */
export async function closeIssue(github: GitHub, marker: string, reason: string): Promise<number | undefined> {
  const { octokit, place } = github;
  const found = await findOpenIssue(github, marker);
  if (!found) return undefined;
  await octokit.rest.issues.createComment({ ...place, issue_number: found.number, body: reason });
  await octokit.rest.issues.update({
    ...place,
    issue_number: found.number,
    state: 'closed',
    state_reason: 'completed',
  });
  return found.number;
}

/** Finds only our own issues; others may use our marker too. */
async function findOpenIssue(github: GitHub, marker: string): Promise<OpenIssue | undefined> {
  const { octokit, place } = github;
  const { viewer } = await sendGraphql<{ viewer: { login: string } }>(github, 'query { viewer { login } }');
  const options = { ...place, state: 'open', creator: viewer.login, per_page: 100 } as const;
  const issues = await octokit.paginate(octokit.rest.issues.listForRepo, options);
  const ours = issues.filter((i) => i.user?.login === viewer.login && !i.pull_request);
  const found = ours.find((i) => i.body?.startsWith(`${marker}\n`));
  return found && { number: found.number, title: found.title, body: found.body ?? '' };
}
