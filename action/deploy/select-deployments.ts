import { relative, sep } from 'node:path';
import { findChangedEndpoints } from '../../review/changed-endpoints.ts';
import type { Diagnostic } from '../../schemas/diagnostic.ts';
import type { Endpoint } from '../../schemas/endpoint/endpoint.ts';
import { parseStackName } from '../../schemas/values/names.ts';
import { listEndpoints, type ProjectFolders, readEndpoint } from '../../schemas/read-project.ts';
import { locateModel } from '../../system/locate-model.ts';
import { type Deployment, listDeployments } from '../github/deployment.ts';
import type { Deploying } from './deployment-context.ts';
import { readChangesSince, type ProjectHistory, findLastChange, findRemoval } from './history.ts';

/** An endpoint to deploy as it was merged. */
export interface Candidate {
  readonly name: string;
  /** Undefined: its file has errors. */
  readonly endpoint: Endpoint | undefined;
  readonly diagnostics: readonly Diagnostic[];
  readonly why: 'asked' | 'first' | 'changed' | 'again';
  /** The last commit of the branch that changed it; undefined: none in this history. */
  readonly commit: string | undefined;
  /** Its deployments that GitHub shows as active. */
  readonly active: readonly string[];
}

/** An endpoint that is deployed but has no file. */
export interface RemovedEndpoint {
  readonly name: string;
  readonly commit: string;
  readonly active: readonly string[];
}

export interface DeploymentSelection {
  readonly candidates: readonly Candidate[];
  readonly removed: readonly RemovedEndpoint[];
}

/** Reads at most 2000 records. An endpoint whose records are older is deployed once more, which changes nothing. */
const MAX_RECORDS = 2000;

/**
 * Selects the endpoints whose last deployment did not succeed, or whose files, models or environment have changed since
 * that deployment's commit. Nothing is lost, therefore, when a run is cancelled or fails.
 */
export async function selectDeployments(deploying: Deploying, stacks: readonly string[]): Promise<DeploymentSelection> {
  const { request, given, github } = deploying;
  const { place, environment, signal } = request;
  const [names, records] = await Promise.all([listEndpoints(place), readRecords(github, environment.name)]);
  const wanted = given.length > 0 ? given : names;
  const history = { root: place.root, signal };
  const read = await Promise.all(wanted.map(async (name) => ({ name, ...(await readEndpoint(place, name)) })));
  const endpoints = read.flatMap((r) => r.value ?? []);
  const isChanged = makeChangeDetector({ history, place, names, endpoints, environment: environment.name });
  const candidates: Candidate[] = [];
  for (const { name, value, diagnostics } of read) {
    const mine = records.filter((r) => r.payload.endpoint === name);
    const why = given.length > 0 ? 'asked' : await findDeploymentReason(mine, (sha) => isChanged(name, sha));
    if (!why) continue;
    const commit = await findLastChange(
      history,
      listEndpointPaths(name, value, { place, environment: environment.name }),
    );
    candidates.push({ name, endpoint: value, diagnostics, why, commit, active: listActiveDeployments(mine) });
  }
  return {
    candidates,
    removed: given.length > 0 ? [] : await findRemovedEndpoints(names, stacks, { deploying, records, history }),
  };
}

async function readRecords(github: Deploying['github'], environment: string): Promise<readonly Deployment[]> {
  const records: Deployment[] = [];
  for await (const record of listDeployments(github, environment)) if (records.push(record) >= MAX_RECORDS) break;
  return records;
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

function listActiveDeployments(records: readonly Deployment[]): readonly string[] {
  return records.filter((r) => r.states[0] === 'success').map((r) => r.nodeId);
}

interface ProjectDeclarations {
  readonly history: ProjectHistory;
  readonly place: ProjectFolders;
  readonly names: readonly string[];
  readonly endpoints: readonly Endpoint[];
  readonly environment: string;
}

/** Runs Git once for each commit, however many endpoints were deployed from it. */
function makeChangeDetector({ history, place, names, endpoints, environment }: ProjectDeclarations) {
  const known = new Map<string, Promise<ReadonlySet<string> | undefined>>();
  const changedIn = async (sha: string) => {
    const paths = await readChangesSince(history, sha);
    const declarations = { root: place.root, names, endpoints, environments: [environment] };
    return paths && new Set(findChangedEndpoints(paths, declarations).map((c) => c.endpoint));
  };
  return async (name: string, sha: string): Promise<boolean> => {
    const changed = known.get(sha) ?? changedIn(sha);
    known.set(sha, changed);
    return (await changed)?.has(name) ?? true;
  };
}

/** All paths that a review of the endpoint depends on. */
function listEndpointPaths(
  name: string,
  endpoint: Endpoint | undefined,
  { place, environment }: Pick<ProjectDeclarations, 'place' | 'environment'>,
): readonly string[] {
  const models = (endpoint?.entities ?? []).flatMap(({ model }) => {
    const { folder, remote } = locateModel(place.root, model);
    const path = relative(place.root, folder).split(sep).join('/');
    return remote === undefined && path !== '' && !path.startsWith('..') ? [path] : [];
  });
  const own = [`${place.endpoints}/${name}.yaml`, `${place.endpoints}/${name}.lock`];
  return [...own, ...new Set(models), `environments/${environment}.yaml`];
}

interface RemovalSearch {
  readonly deploying: Deploying;
  readonly records: readonly Deployment[];
  readonly history: ProjectHistory;
}

/** Only endpoints whose file was removed by a merge. A stack that somebody made by hand has no file in the history. */
async function findRemovedEndpoints(
  names: readonly string[],
  stacks: readonly string[],
  { deploying, records, history }: RemovalSearch,
): Promise<readonly RemovedEndpoint[]> {
  const { environment, place } = deploying.request;
  const removed: RemovedEndpoint[] = [];
  for (const stack of stacks.map(parseStackName)) {
    if (stack?.kind !== 'endpoint' || stack.environment !== environment.name || names.includes(stack.endpoint))
      continue;
    const commit = await findRemoval(history, `${place.endpoints}/${stack.endpoint}.yaml`);
    const active = listActiveDeployments(records.filter((r) => r.payload.endpoint === stack.endpoint));
    if (commit !== undefined) removed.push({ name: stack.endpoint, commit, active });
  }
  return removed;
}
