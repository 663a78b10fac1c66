import type { RolloutState } from '../../schemas/deployment/rollout.ts';
import type { Diagnostic } from '../../schemas/diagnostic.ts';
import type { Endpoint } from '../../schemas/endpoint/endpoint.ts';
import { parseStackName } from '../../schemas/values/names.ts';
import { listEndpoints, type ReadResult, readEndpoint } from '../../schemas/read-project.ts';
import { type Declarations, findChangedEndpoints } from '../../review/changed-endpoints.ts';
import { type Deployment, listDeployments } from '../github/deployment.ts';
import { type ChangeDetector, followPaths, listEndpointPaths, makeChangeDetector } from './change-detector.ts';
import type { DeploymentScope } from './deployment-context.ts';
import {
  type BranchRange,
  findCommitBefore,
  isTakenBack,
  listChangesToDeploy,
  listPushedPaths,
} from './earlier-changes.ts';
import { findLastChange, findRemoval, hasSameFiles, makePositionFinder } from './history.ts';
import { findReasonToWait, type PreviousEnvironment } from './previous-environment.ts';
import { findSupersession, type RunAge } from './supersession.ts';
import { findWithdrawnEndpoints, type WithdrawnEndpoint } from './withdrawn-endpoints.ts';

/** Why the run leaves a selected endpoint as it is. */
export interface Hold {
  readonly state: Extract<RolloutState, 'superseded' | 'waiting'>;
  readonly cause: string;
}

/** An endpoint to deploy as it was merged. */
export interface Candidate {
  readonly name: string;
  /** Undefined: its file has errors. */
  readonly endpoint: Endpoint | undefined;
  readonly diagnostics: readonly Diagnostic[];
  readonly why: 'asked' | 'first' | 'changed' | 'again';
  /** The last commit of the branch that changed it; undefined: none in this history. */
  readonly commit: string | undefined;
  /** The commits before that one whose changes have not been deployed either. */
  readonly earlier: readonly string[];
  /** Its deployments that GitHub shows as active. */
  readonly active: readonly string[];
  readonly hold?: Hold | undefined;
}

/** An endpoint that is deployed but has no file. */
export interface RemovedEndpoint {
  readonly name: string;
  readonly commit: string;
  readonly earlier: readonly string[];
  readonly active: readonly string[];
  readonly hold?: Hold | undefined;
}

export interface DeploymentSelection {
  readonly candidates: readonly Candidate[];
  readonly removed: readonly RemovedEndpoint[];
  readonly withdrawn: readonly WithdrawnEndpoint[];
  /** The endpoints that the commits of this push changed or removed, even if a later one took it back. */
  readonly pushed: ReadonlySet<string>;
}

/** Reads at most 2000 records. An endpoint whose records are older is deployed once more, which changes nothing. */
const MAX_RECORDS = 2000;

/**
 * Selects the endpoints whose last deployment did not succeed, or whose files, models or environment have changed since
 * that deployment's commit. Nothing is lost, therefore, when a run is cancelled or fails. Those that this run must not
 * change, because it is outdated or because another environment comes first, have a hold. Where the stacks of the
 * environment are not known, because the state cannot be read, the deployed endpoints are those of GitHub's records.
 */
export async function selectDeployments(
  scope: DeploymentScope,
  stacks: readonly string[] | undefined,
): Promise<DeploymentSelection> {
  const { request, given } = scope;
  const { place } = request;
  const names = await listEndpoints(place);
  const wanted = given.length > 0 ? given : names;
  const read = await Promise.all(wanted.map(async (name) => ({ name, ...(await readEndpoint(place, name)) })));
  const selection = await openSelection(scope, { names, endpoints: read.flatMap((r) => r.value ?? []) });
  const candidates: Candidate[] = [];
  for (const one of read) candidates.push(...(await selectCandidate(one, selection)));
  const deployed = stacks
    ? parseDeployedEndpoints(stacks, request.environment.name)
    : listRecordedEndpoints(selection.records);
  const { pushed } = selection;
  if (given.length > 0) return { candidates, removed: [], withdrawn: [], pushed };
  const removed = await findRemovedEndpoints(names, deployed, selection);
  const others = [...pushed].filter((name) => !names.includes(name) && !deployed.includes(name));
  return { candidates, removed, withdrawn: await findWithdrawnEndpoints(others, selection, request), pushed };
}

interface Selection extends RunAge, BranchRange {
  readonly scope: DeploymentScope;
  readonly pushed: DeploymentSelection['pushed'];
  readonly records: readonly Deployment[];
  readonly isChanged: ChangeDetector;
  readonly previous: PreviousEnvironment | undefined;
}

async function openSelection(
  scope: DeploymentScope,
  project: { readonly names: readonly string[]; readonly endpoints: readonly Endpoint[] },
): Promise<Selection> {
  const { request, github, after, job, findBranchHead } = scope;
  const { place, environment, signal } = request;
  const history = { root: place.root, signal };
  const comparePosition = makePositionFinder(history);
  const detect = (name: string) => makeChangeDetector({ history, place, ...project }, name);
  const [records, before] = await Promise.all([
    readRecords(github, environment.name),
    after === undefined ? [] : readRecords(github, after),
  ]);
  const range = { history, comparePosition, before: await findCommitBefore(job.runner.event, comparePosition) };
  return {
    ...{ ...range, scope, records, findBranchHead },
    pushed: await findPushedEndpoints(range, { ...project, root: place.root, environments: [environment.name] }),
    runId: job.runner.runId,
    isChanged: detect(environment.name),
    previous:
      after === undefined ? undefined : { name: after, records: before, comparePosition, isChanged: detect(after) },
  };
}

async function readRecords(github: DeploymentScope['github'], environment: string): Promise<readonly Deployment[]> {
  const records: Deployment[] = [];
  for await (const record of listDeployments(github, environment)) if (records.push(record) >= MAX_RECORDS) break;
  return records;
}

async function selectCandidate(
  { name, value: endpoint, diagnostics }: ReadResult<Endpoint> & { readonly name: string },
  selection: Selection,
): Promise<readonly Candidate[]> {
  const { scope, history, isChanged, comparePosition } = selection;
  const { place, environment } = scope.request;
  const records = selection.records.filter((r) => r.payload.endpoint === name);
  const declared = listEndpointPaths(name, endpoint, { place, environment: environment.name });
  const paths = await followPaths(place.root, declared);
  const due = scope.given.length > 0 ? 'asked' : await findDeploymentReason(records, (sha) => isChanged(name, sha));
  const [newest] = records;
  // An older checkout has no change since the newer commit, but it may have another version.
  const isOther = async (sha: string) =>
    (await comparePosition(sha)) === 'older' && !(await hasSameFiles(history, ['HEAD', sha], paths));
  const why = due ?? (newest && (await isOther(newest.sha)) ? 'changed' : undefined);
  const undone = why === undefined && selection.pushed.has(name) && (await isTakenBack({ records, paths }, selection));
  if (!why && !undone) return [];
  const commit = await findLastChange(history, paths);
  const earlier = (await listChangesToDeploy({ records, paths }, selection)).filter((c) => c !== commit);
  const hold = undone ? TAKEN_BACK : await findHold({ name, action: 'deploy', records, paths }, selection);
  const active = listActiveDeployments(records);
  return [{ name, endpoint, diagnostics, why: why ?? 'changed', commit, earlier, active, hold }];
}

const TAKEN_BACK: Hold = { state: 'superseded', cause: 'the same push changed the endpoint and took the change back' };

async function findPushedEndpoints(range: BranchRange, declarations: Declarations): Promise<ReadonlySet<string>> {
  // `deleted` also finds endpoints whose file is gone. What became of those that have a file, nobody reads here.
  const paths = (await listPushedPaths(range)).map((path) => ({ path, change: 'deleted' }) as const);
  return new Set(findChangedEndpoints(paths, declarations).map((c) => c.endpoint));
}

interface HoldQuery {
  readonly name: string;
  readonly action: Deployment['payload']['action'];
  readonly records: readonly Deployment[];
  readonly paths: readonly [string, ...string[]];
}

async function findHold(query: HoldQuery, selection: Selection): Promise<Hold | undefined> {
  const superseded = await findSupersession(query, selection);
  if (superseded !== undefined) return { state: 'superseded', cause: superseded };
  const { previous } = selection;
  const reason = previous && (await findReasonToWait(query.name, query.action, previous));
  return reason === undefined ? undefined : { state: 'waiting', cause: reason };
}

/** The newest record decides. One that did not succeed may have left anything behind. */
async function findDeploymentReason(
  records: readonly Deployment[],
  isChanged: (sha: string) => Promise<boolean>,
): Promise<Candidate['why'] | undefined> {
  const [newest] = records;
  if (!newest || newest.payload.action === 'remove') return 'first';
  if (!newest.states.includes('success')) return 'again';
  return (await isChanged(newest.sha)) ? 'changed' : undefined;
}

/** The records that GitHub shows as active. */
export function listActiveDeployments(records: readonly Deployment[]): readonly string[] {
  return records.filter((r) => r.states[0] === 'success').map((r) => r.nodeId);
}

function parseDeployedEndpoints(stacks: readonly string[], environment: string): readonly string[] {
  return stacks
    .map(parseStackName)
    .flatMap((stack) => (stack?.kind === 'endpoint' && stack.environment === environment ? [stack.endpoint] : []));
}

/** Those that were not removed. A removal that did not succeed may have left anything behind. */
function listRecordedEndpoints(records: readonly Deployment[]): readonly string[] {
  const newest = new Map(records.toReversed().map((record) => [record.payload.endpoint, record]));
  return [...newest.values()]
    .filter(({ payload, states }) => payload.action === 'deploy' || !states.includes('success'))
    .map(({ payload }) => payload.endpoint);
}

/** Only endpoints whose file was removed by a merge. A stack that somebody made by hand has no file in the history. */
async function findRemovedEndpoints(
  names: readonly string[],
  deployed: readonly string[],
  selection: Selection,
): Promise<readonly RemovedEndpoint[]> {
  const { place, environment } = selection.scope.request;
  const removed: RemovedEndpoint[] = [];
  for (const name of deployed.filter((endpoint) => !names.includes(endpoint))) {
    const paths = listEndpointPaths(name, undefined, { place, environment: environment.name });
    const commit = await findRemoval(selection.history, paths[0]);
    if (commit === undefined) continue;
    const records = selection.records.filter((r) => r.payload.endpoint === name);
    const hold = await findHold({ name, action: 'remove', records, paths }, selection);
    const earlier = (await listChangesToDeploy({ records, paths }, selection)).filter((c) => c !== commit);
    removed.push({ name, commit, earlier, active: listActiveDeployments(records), hold });
  }
  return removed;
}
