import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { digestProgram } from '../../engine/digest-program.ts';
import type { ChangedEndpoint } from '../../review/changed-endpoints.ts';
import type { Changes } from '../../review/changed-paths.ts';
import { refuseFiles } from '../../review/refuse-files.ts';
import { type Diagnostic, sortDiagnostics } from '../../schemas/diagnostic.ts';
import { declarationsRoot, type ProjectFolders } from '../../schemas/read-project.ts';
import type { EndpointReport, Report } from '../../schemas/report/report.ts';
import { readVersion } from '../../system/code.ts';
import type { Progress } from '../../system/progress.ts';
import { machineConcurrency, mapConcurrent, limitConcurrency } from '../../system/map-concurrent.ts';
import { makeTemporaryFolder } from '../../system/temporary-folder.ts';
import { checkFiles } from '../check-files.ts';
import { openProjectOnce, type ProjectRequest } from '../project-request.ts';
import { type PreviewEnvironment, previewChanged } from './preview-changed.ts';
import type { ReviewedEnvironment } from './review-environments.ts';
import { readScope, type ReviewScope, type ScopeRequest, startReport } from './review-scope.ts';
import { digestReviewedFiles } from './reviewed-files.ts';
import { type Fetched, type FetchedFolder, readFetched } from './fetched.ts';
import { LOCKS, readValidated, SBOMS, writeReport } from './stage-folder.ts';
import { makeUnread, validateChanged } from './validate-changed.ts';

/** A review to run. All paths are absolute. */
export interface ReviewRequest extends Omit<ScopeRequest, 'place'> {
  /** The project with the environments and the state. */
  readonly root: string;
  /** A pull request's checkout. Endpoint files, locks and models are read from it as data; default: `root`. */
  readonly from?: string | undefined;
  /** The folder of an earlier stage: its report.json says what is proven, its locks/ has the computed locks. */
  readonly with?: string | undefined;
  /** The folder for report.json, computed locks (locks/) and bills of materials (sboms/); default: none is written. */
  readonly out?: string | undefined;
  /** What an earlier job with credentials has fetched, because this one has none. Default: there is no such job. */
  readonly fetched?: FetchedFolder | undefined;
  /** Whether it is the run of a fork or of Dependabot, whose models reach no service. */
  readonly isRestricted?: boolean | undefined;
  /** The commit of Davit that makes the previews, if known. */
  readonly programCommit?: string | undefined;
  /** Models are proved with the user's own rights. */
  readonly withoutSandbox?: boolean | undefined;
  readonly progress: Progress;
}

/**
 * Runs the review, or one stage of it, for several endpoints at a time. A failure of one does not stop another. Throws
 * a NoBaseError when it cannot find out what changed. Throws when interrupted; the results so far are then in `out`.
 */
export async function reviewProject(request: ReviewRequest): Promise<Report> {
  const { root, from, out, stage } = request;
  const folder = out ?? makeTemporaryFolder('review');
  const locks = join(stage === 'preview' ? (request.with ?? folder) : folder, LOCKS);
  const sboms = join(folder, SBOMS);
  if (stage !== 'preview')
    // of an earlier review
    for (const earlier of [locks, sboms]) await rm(earlier, { recursive: true, force: true });
  const place = { root, endpoints: 'endpoints', ...(from !== undefined && { from }), locks };
  try {
    const fetched = await readFetched(request.fetched, locks);
    const report = await makeReport({ ...request, place, locks, sboms, fetched });
    if (out !== undefined) await writeReport(out, report);
    request.signal.throwIfAborted();
    return report;
  } finally {
    if (out === undefined) await rm(folder, { recursive: true, force: true });
  }
}

interface Work extends Omit<ReviewRequest, 'fetched'>, ProjectRequest {
  readonly locks: string;
  readonly sboms: string;
  readonly fetched: Fetched | undefined;
}

async function makeReport(work: Work): Promise<Report> {
  const { place, stage } = work;
  const [scope, checked] = await Promise.all([readScope(work), stage === 'preview' ? [] : checkAll(place)]);
  const { changed, changes, environments } = scope;
  const diagnostics = await withoutRefused(declarationsRoot(place), checked);
  const endpoints = await reviewAll(scope, { work, diagnostics });
  const others = otherDiagnostics(diagnostics, changed, changes);
  return {
    ...startReport(scope),
    program: stage === 'validate' ? null : await describeProgram(work, environments, endpoints),
    stages: (stage ? [stage] : (['validate', 'preview'] as const)).map((s) => ({
      stage: s,
      result: work.signal.aborted ? 'cancelled' : 'success',
      why: null,
    })),
    diagnostics: [...sortDiagnostics([...others, ...scope.diagnostics])],
    endpoints: [...endpoints],
  };
}

/** The program and the environments of the previews. */
async function describeProgram(
  { root, from, programCommit, place }: Work,
  all: readonly ReviewedEnvironment[],
  endpoints: readonly EndpointReport[],
): Promise<Report['program']> {
  const environments = from === undefined || from === root ? 'checkout' : 'base';
  const changed = all.flatMap((e) => (e.isChanged ? [e.environment.name] : []));
  const program = {
    digest: await digestProgram(),
    version: readVersion(),
    commit: programCommit ?? null,
    environments,
    files: await digestReviewedFiles(place, endpoints),
  } as const;
  return changed.length === 0 ? program : { ...program, changed_environments: changed };
}

/** Runs one stage or both for every endpoint. */
async function reviewAll(
  { changed, changes, environments, policies }: ReviewScope,
  { work, diagnostics }: { readonly work: Work; readonly diagnostics: readonly Diagnostic[] },
): Promise<readonly EndpointReport[]> {
  const base = changes?.base;
  const { stage, locks, sboms, fetched, isRestricted } = work;
  const validated = stage === 'preview' ? await readValidated(work.with) : new Map<string, EndpointReport>();
  const width = machineConcurrency();
  const turn = limitConcurrency(width);
  const previewed = makePreviewEnvironments(work, environments);
  return mapConcurrent(changed, width, (c) =>
    unlessStopped(c, work, async () => {
      const known =
        stage === 'preview'
          ? { ...(validated.get(c.endpoint) ?? makeUnread(c)), ...c, previews: [] }
          : await validateChanged(c, {
              ...{ request: work, policies, diagnostics, locks, sboms, base, fetched, isRestricted },
              environments: environments.map((e) => e.environment),
            });
      return stage === 'validate' ? known : previewChanged(known, { request: work, environments: previewed, turn });
    }),
  );
}

/** The environments with the engine's project of each place, which is opened once for all endpoints. */
function makePreviewEnvironments(
  work: Work,
  environments: readonly ReviewedEnvironment[],
): readonly PreviewEnvironment[] {
  const opened = new Map<ProjectFolders['environments'], PreviewEnvironment['open']>();
  return environments.map(({ environment, place }) => {
    const open = opened.get(place.environments) ?? openProjectOnce({ ...work, place });
    opened.set(place.environments, open);
    return { environment, place, open };
  });
}

const STOPPED = 'the review was stopped before it was done';

/** After an interruption the report still has the finished endpoints. The others are marked as stopped. */
async function unlessStopped(
  changed: ChangedEndpoint,
  { signal }: Pick<ReviewRequest, 'signal'>,
  work: () => Promise<EndpointReport>,
): Promise<EndpointReport> {
  try {
    signal.throwIfAborted();
    return await work();
  } catch (e) {
    if (!signal.aborted) throw e;
    return { ...makeUnread(changed), outage: STOPPED };
  }
}

async function checkAll(place: ProjectFolders): Promise<readonly Diagnostic[]> {
  const root = declarationsRoot(place);
  return (await checkFiles([], { cwd: root, root: () => root })).diagnostics;
}

/** Drops diagnostics that would quote a file reached through a refused link. */
async function withoutRefused(root: string, diagnostics: readonly Diagnostic[]): Promise<readonly Diagnostic[]> {
  const refused = await refuseFiles(
    root,
    diagnostics.map((d) => d.file),
  );
  const files = new Set(refused.map((d) => d.file));
  return [...diagnostics.filter((d) => !files.has(d.file)), ...refused];
}

/** Errors in environments and in changed files that belong to no endpoint, and duplicate names. */
function otherDiagnostics(
  diagnostics: readonly Diagnostic[],
  endpoints: readonly ChangedEndpoint[],
  changes: Changes | undefined,
): readonly Diagnostic[] {
  const own = new Set(endpoints.map((e) => `endpoints/${e.endpoint}.yaml`));
  const changed = new Set(changes?.paths.map((p) => p.path));
  const concerns = (d: Diagnostic) =>
    d.file.startsWith('environments/') || d.code === 'duplicate-name' || changed.has(d.file);
  return diagnostics.filter((d) => !own.has(d.file) && concerns(d));
}
