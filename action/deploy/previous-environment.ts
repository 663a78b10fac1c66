import type { Deployment } from '../github/deployment.ts';
import type { ChangeDetector } from './change-detector.ts';
import type { Position } from './history.ts';

/** The environment in which an endpoint has to be live, or removed, first. */
export interface PreviousEnvironment {
  readonly name: string;
  /** All records of the environment, newest first. */
  readonly records: readonly Deployment[];
  readonly comparePosition: (sha: string) => Promise<Position>;
  readonly isChanged: ChangeDetector;
}

/** Why an endpoint has to wait; undefined: it is in the environment before this one as it is in the checkout. */
export async function findReasonToWait(
  endpoint: string,
  action: Deployment['payload']['action'],
  { name, records, comparePosition, isChanged }: PreviousEnvironment,
): Promise<string | undefined> {
  const newest = await findNewest(
    records.filter((r) => r.payload.endpoint === endpoint),
    comparePosition,
  );
  const good = newest?.states.includes('success') ?? false;
  if (action === 'remove')
    return !newest || (newest.payload.action === 'remove' && good) ? undefined : `it is not removed from ${name}`;
  if (newest?.payload.action !== 'deploy') return `it is not deployed to ${name}`;
  if (!good) return `its deployment to ${name} did not succeed`;
  return (await isChanged(endpoint, newest.sha)) ? `${name} has another version of it` : undefined;
}

/** The newest record, without those of commits that are newer than the checkout: that environment may be ahead. */
async function findNewest(
  records: readonly Deployment[],
  comparePosition: PreviousEnvironment['comparePosition'],
): Promise<Deployment | undefined> {
  for (const record of records) if ((await comparePosition(record.sha)) !== 'older') return record;
  return undefined;
}
