import { type ChangedEndpoint, findChangedEndpoints, listReadPaths } from '../../review/changed-endpoints.ts';
import { addLinkedPaths, type Changes, NoBaseError, readChangedPaths } from '../../review/changed-paths.ts';
import { refuseFiles } from '../../review/refuse-files.ts';
import type { Diagnostic } from '../../schemas/diagnostic.ts';
import type { Policy } from '../../schemas/environment/policy.ts';
import {
  declarationsRoot,
  listEndpoints,
  lockFile,
  type ProjectFolders,
  readEndpoint,
} from '../../schemas/read-project.ts';
import type { Report, ReviewStage } from '../../schemas/report/report.ts';
import { selectNames } from '../select-endpoints.ts';
import { readReviewedEnvironments, type ReviewedEnvironment } from './review-environments.ts';
import { readReviewedPolicies } from './review-policies.ts';

/** What a review or its job "fetch" is about. */
export interface ReviewScope {
  /** Undefined: the endpoints are given by name, and there is no base to compare with. */
  readonly changes: Changes | undefined;
  readonly changed: readonly ChangedEndpoint[];
  /** The environments without errors, and the diagnostics of all. */
  readonly environments: readonly ReviewedEnvironment[];
  readonly diagnostics: readonly Diagnostic[];
  /** None for a preview: it judges no finding, and its checkout has no contents of the base. */
  readonly policies: readonly Policy[];
}

export interface ScopeRequest {
  readonly place: ProjectFolders;
  /** Names of endpoints; none: those that changed. */
  readonly names?: readonly string[];
  /** The Git revision to compare with; default: the main branch. */
  readonly base?: string | undefined;
  /** Names of the environments to preview for. */
  readonly environments: readonly string[];
  /** Whether these are all of the project: the policies of those that the change deletes count too. */
  readonly everyEnvironment?: boolean | undefined;
  /** `validate` runs the models without an engine; `preview` runs no model; default: both, one after the other. */
  readonly stage?: ReviewStage | undefined;
  readonly signal: AbortSignal;
}

/** Finds out what changed, and reads the environments with their policies. */
export async function readScope(request: ScopeRequest): Promise<ReviewScope> {
  const { place, environments: names, stage } = request;
  const changes = await readChanges(request);
  const { environments, diagnostics } = await readReviewedEnvironments(place, { names, paths: changes?.paths ?? [] });
  const changed = await selectChanged(request, changes);
  const policies = stage === 'preview' ? [] : await readReviewedPolicies({ ...request, names, environments, changes });
  return { changes, changed, environments, diagnostics, policies };
}

/** A report without a stage and without endpoints. */
export function startReport({ changes, environments }: ReviewScope): Report {
  return {
    report_version: 3,
    base: changes?.base ?? null,
    head: changes?.head ?? null,
    program: null,
    environments: environments.map((e) => e.environment.name),
    stages: [],
    pull_request: null,
    diagnostics: [],
    endpoints: [],
  };
}

/** Git is not needed when endpoints are given by name. */
async function readChanges({
  place,
  names = [],
  base,
  environments,
  signal,
}: ScopeRequest): Promise<Changes | undefined> {
  const root = declarationsRoot(place);
  try {
    const changes = await readChangedPaths(root, base, signal);
    const files = [
      ...environments.map((name) => `environments/${name}.yaml`),
      ...(await listEndpoints(place)).flatMap((name) => [`${place.endpoints}/${name}.yaml`, lockFile(place, name)]),
    ];
    return { ...changes, paths: await addLinkedPaths(root, changes, files, signal) };
  } catch (e) {
    if (e instanceof NoBaseError && names.length > 0 && base === undefined) return undefined;
    throw e;
  }
}

/** The changed endpoints or, when the user names endpoints, those and how they changed. */
async function selectChanged(
  { place, names: given = [], environments, signal }: ScopeRequest,
  changes: Changes | undefined,
): Promise<readonly ChangedEndpoint[]> {
  const root = declarationsRoot(place);
  const names = await listEndpoints(place);
  const refused = await refuseFiles(root, names.map((name) => `${place.endpoints}/${name}.yaml`)); // prettier-ignore
  const unread = new Set(refused.map((d) => d.file));
  const readable = names.filter((name) => !unread.has(`${place.endpoints}/${name}.yaml`));
  const read = await Promise.all(readable.map((name) => readEndpoint(place, name)));
  const endpoints = read.flatMap((r) => r.value ?? []);
  const used = endpoints.flatMap((endpoint) => listReadPaths(root, endpoint));
  const paths = changes ? await addLinkedPaths(root, changes, used, signal) : [];
  const changed = findChangedEndpoints(paths, { root, names, endpoints, environments });
  if (given.length === 0) return changed;
  const wanted = await selectNames(place, given);
  return wanted.map(
    (name) => changed.find((c) => c.endpoint === name) ?? { endpoint: name, change: 'asked', because: [] },
  );
}
