import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { digestProgram } from '../engine/digest-program.ts';
import type { PulumiProject } from '../engine/project.ts';
import { type ChangedEndpoint, findChangedEndpoints } from '../review/changed-endpoints.ts';
import { type Changes, NoBaseError, readChangedPaths } from '../review/changed-paths.ts';
import { refuseFiles } from '../review/refuse-files.ts';
import { type Diagnostic, sortDiagnostics } from '../schemas/diagnostic.ts';
import type { Environment } from '../schemas/environment.ts';
import {
  declaredRoot,
  listEndpoints,
  type ProjectPlace,
  readEndpoint,
  readEnvironment,
} from '../schemas/read-declared.ts';
import type { EndpointReport, Report, ReviewStage } from '../schemas/report.ts';
import type { Progress } from '../system/progress.ts';
import { machineWidth, sideBySide, takeTurns } from '../system/side-by-side.ts';
import { checkPaths } from './check.ts';
import { type Context, UsageError } from './command.ts';
import { openFor } from './open-for.ts';
import { previewChanged } from './review-preview.ts';
import { LOCKS, readValidated, writeReport } from './review-folder.ts';
import { makeUnread, validateChanged } from './review-validate.ts';
import { projectPlace, selectNames } from './select-endpoints.ts';

/** What is to be reviewed. All paths are absolute. */
export interface ReviewRequest {
  /** The project whose environments count, and whose state the engine asks. */
  readonly root: string;
  /** A pull request's checkout: endpoint files, locks and models are read from there as data; default: `root`. */
  readonly from?: string | undefined;
  /** Endpoints; none: what changed. */
  readonly names?: readonly string[];
  /** What to compare with, in Git's words; default: the main branch. */
  readonly base?: string | undefined;
  /** Names of the environments to preview for. */
  readonly environments: readonly string[];
  /** `validate` runs the models and asks no engine; `preview` runs no model; default: one after the other. */
  readonly stage?: ReviewStage | undefined;
  /** What a stage before has left: its report.json says what is proven, its locks/ what had to be computed. */
  readonly with?: string | undefined;
  /** Where report.json goes, and locks/ with the locks that had to be computed; default: nowhere. */
  readonly out?: string | undefined;
  /** The commit of Davit that previews are made with, where that is known. */
  readonly programCommit?: string | undefined;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/**
 * The review, or a stage of it, endpoints side by side; what fails in one does not stop another. Throws a UsageError when
 * nobody can tell what changed, and when interrupted: then what was found until then is in `out`.
 */
export async function reviewProject(request: ReviewRequest): Promise<Report> {
  const { root, from, out, stage } = request;
  const folder = out ?? (await mkdtemp(join(tmpdir(), 'davit-review-')));
  const locks = join(stage === 'preview' ? (request.with ?? folder) : folder, LOCKS);
  if (stage !== 'preview') await rm(locks, { recursive: true, force: true }); // of another review
  const declared = { ...(from !== undefined && { from }), locks };
  const context: Context = { ...request, args: request.names ?? [], options: {}, cwd: root, declared };
  try {
    const report = await makeReport(context, { ...request, locks });
    if (out !== undefined) await writeReport(out, report);
    request.signal.throwIfAborted();
    return report;
  } finally {
    if (out === undefined) await rm(folder, { recursive: true, force: true });
  }
}

type Work = ReviewRequest & { readonly locks: string };

async function makeReport(context: Context, work: Work): Promise<Report> {
  const names = work.environments;
  const place = projectPlace(context);
  const { stage } = work;
  const [changes, checked, declared] = await Promise.all([
    readChanges(context, work),
    stage === 'preview' ? [] : checkAll(place),
    Promise.all(names.map((name) => readEnvironment(place, name))),
  ]);
  const changed = await selectChanged(context, changes, names);
  const environments = declared.flatMap((d) => d.value ?? []);
  const diagnostics = await withoutRefused(declaredRoot(place), checked);
  const endpoints = await reviewAll(changed, { context, work, environments, diagnostics });
  const others = otherDiagnostics(diagnostics, changed, changes);
  return {
    report_version: 3,
    base: changes?.base ?? null,
    head: changes?.head ?? null,
    program: stage === 'validate' ? null : await describeProgram(work),
    environments: environments.map((e) => e.name),
    stages: (stage ? [stage] : (['validate', 'preview'] as const)).map((s) => ({
      stage: s,
      result: work.signal.aborted ? 'cancelled' : 'success',
      why: null,
    })),
    pull_request: null,
    diagnostics: [...sortDiagnostics([...others, ...declared.flatMap((d) => d.diagnostics)])],
    endpoints: [...endpoints],
  };
}

/** What previews were made with. */
async function describeProgram({ root, from, programCommit }: ReviewRequest): Promise<Report['program']> {
  const environments = from === undefined || from === root ? 'checkout' : 'base';
  return { digest: await digestProgram(), commit: programCommit ?? null, environments };
}

interface ReviewAll {
  readonly context: Context;
  readonly work: Work;
  readonly environments: readonly Environment[];
  readonly diagnostics: readonly Diagnostic[];
}

/** One stage or both, of every endpoint. */
async function reviewAll(
  changed: readonly ChangedEndpoint[],
  { context, work, environments, diagnostics }: ReviewAll,
): Promise<readonly EndpointReport[]> {
  const { stage, locks } = work;
  const validated = stage === 'preview' ? await readValidated(work.with) : new Map<string, EndpointReport>();
  const [open, width] = [openOnce(context), machineWidth()];
  const turn = takeTurns(width);
  return sideBySide(changed, width, (c) =>
    unlessStopped(c, work, async () => {
      const known =
        stage === 'preview'
          ? { ...(validated.get(c.endpoint) ?? makeUnread(c)), ...c, previews: [] }
          : await validateChanged(c, { context, environments, diagnostics, locks });
      return stage === 'validate' ? known : previewChanged(known, { context, environments, open, turn });
    }),
  );
}

const STOPPED = 'the review was stopped before it was done';

/** Interrupted, the review still tells of what it has done; the rest it has not looked at. */
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

/** Whoever names endpoints needs no Git. */
async function readChanges(context: Context, { base, signal }: ReviewRequest): Promise<Changes | undefined> {
  try {
    return await readChangedPaths(declaredRoot(projectPlace(context)), base, signal);
  } catch (e) {
    if (!(e instanceof NoBaseError)) throw e;
    if (context.args.length > 0 && base === undefined) return undefined;
    throw new UsageError(e.message, { cause: e });
  }
}

/** What changed or, when the user names endpoints, those and how they changed. */
async function selectChanged(
  context: Context,
  changes: Changes | undefined,
  environments: readonly string[],
): Promise<readonly ChangedEndpoint[]> {
  const place = projectPlace(context);
  const root = declaredRoot(place);
  const names = await listEndpoints(place);
  const refused = await refuseFiles(root, names.map((name) => `${place.endpoints}/${name}.yaml`)); // prettier-ignore
  const unread = new Set(refused.map((d) => d.file));
  const readable = names.filter((name) => !unread.has(`${place.endpoints}/${name}.yaml`));
  const read = await Promise.all(readable.map((name) => readEndpoint(place, name)));
  const endpoints = read.flatMap((r) => r.value ?? []);
  const changed = findChangedEndpoints(changes?.paths ?? [], { root, names, endpoints, environments });
  if (context.args.length === 0) return changed;
  const asked = await selectNames(place, context.args);
  return asked.map(
    (name) => changed.find((c) => c.endpoint === name) ?? { endpoint: name, change: 'asked', because: [] },
  );
}

async function checkAll(place: ProjectPlace): Promise<readonly Diagnostic[]> {
  const root = declaredRoot(place);
  return (await checkPaths([], { cwd: root, root: () => root })).diagnostics;
}

/** Nothing is quoted from a file that a link has brought in. */
async function withoutRefused(root: string, diagnostics: readonly Diagnostic[]): Promise<readonly Diagnostic[]> {
  const refused = await refuseFiles(
    root,
    diagnostics.map((d) => d.file),
  );
  const files = new Set(refused.map((d) => d.file));
  return [...diagnostics.filter((d) => !files.has(d.file)), ...refused];
}

/** Mistakes in environments and changed files that are no endpoint's, and names that a new endpoint takes from another. */
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

function openOnce(context: Context): () => Promise<PulumiProject> {
  let project: Promise<PulumiProject> | undefined;
  return () => (project ??= openFor(context));
}
