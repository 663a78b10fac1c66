import type { Deployment } from '../github/deployment.ts';
import { hasFile, hasSameFiles, type Position, type ProjectHistory } from './history.ts';

/** What decides whether a run may still change an endpoint. */
export interface RunAge {
  readonly history: ProjectHistory;
  /** Where the checkout is, seen from a commit. */
  readonly comparePosition: (sha: string) => Promise<Position>;
  readonly runId: number;
  /** The head that the run's branch has at GitHub now; undefined: there is no such branch. */
  readonly findBranchHead: () => Promise<string | undefined>;
}

export interface SupersessionQuery {
  /** What the run would do to the endpoint. */
  readonly action: Deployment['payload']['action'];
  /** The endpoint's records in the environment, newest first. */
  readonly records: readonly Deployment[];
  /** The files that decide what the endpoint is, its own file first. */
  readonly paths: readonly [string, ...string[]];
}

const SHORT_CHARACTERS = 12;

/**
 * Why a run that was started again, or approved late, must leave an endpoint alone; undefined: it may change it.
 *
 * - The checkout is older than the commit of the endpoint's newest record, whatever became of that deployment.
 * - Both are the same commit, and a later run did the opposite.
 * - They have diverged, because the branch was forced. Then only the branch's head decides.
 * - The branch has gone on from the checkout, and the endpoint already is what the branch's head says.
 */
export async function findSupersession(query: SupersessionQuery, age: RunAge): Promise<string | undefined> {
  return (await findNewerRecord(query, age)) ?? (await findNewerHead(query, age));
}

/** The first three rules, which need only the records. */
export async function findNewerRecord(
  { action, records: [newest] }: Omit<SupersessionQuery, 'paths'>,
  { comparePosition, runId, findBranchHead }: RunAge,
): Promise<string | undefined> {
  if (!newest) return undefined;
  const position = await comparePosition(newest.sha);
  if (position === 'older') return `this run is older than ${describe(newest)}`;
  if (position === 'same' && newest.payload.action !== action && newest.payload.runId > runId)
    return `this run is older than the run of ${describe(newest)}`;
  if (position !== 'diverged') return undefined;
  const head = await findBranchHead();
  if (head !== undefined && (await comparePosition(head)) === 'same') return undefined;
  return `the branch does not contain ${describe(newest)}, and only the head of the branch replaces that`;
}

async function findNewerHead(
  { action, records: [newest], paths }: SupersessionQuery,
  { history, comparePosition, findBranchHead }: RunAge,
): Promise<string | undefined> {
  const head = await findBranchHead();
  if (head === undefined || (await comparePosition(head)) !== 'older') return undefined;
  const exists = await hasFile(history, head, paths[0]);
  if (action === 'remove') return exists ? describeHead(head, 'has it again') : undefined;
  if (!exists) return describeHead(head, 'has removed it');
  const serves = newest?.payload.action === 'deploy' && newest.states.includes('success');
  if (!serves || !(await hasSameFiles(history, [newest.sha, head], paths))) return undefined;
  return describeHead(head, 'has taken the change back');
}

function describe({ sha, payload }: Deployment): string {
  return `${sha.slice(0, SHORT_CHARACTERS)}, which ${payload.action === 'deploy' ? 'deployed' : 'removed'} it last`;
}

function describeHead(head: string, what: string): string {
  return `the branch's head, ${head.slice(0, SHORT_CHARACTERS)}, ${what}`;
}
