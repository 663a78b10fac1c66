import { resolve } from 'node:path';
import type { PulumiProject } from '../engine/project.ts';
import { type ChangedEndpoint, findChangedEndpoints } from '../review/changed-endpoints.ts';
import { type Changes, NoBaseError, readChangedPaths } from '../review/changed-paths.ts';
import { findOutsideLinks } from '../review/outside-links.ts';
import { renderReport } from '../review/render-report.ts';
import { renderTopLine } from '../review/standing.ts';
import { type Diagnostic, sortDiagnostics } from '../schemas/diagnostic.ts';
import { listEndpoints, readEndpoint, readEnvironment } from '../schemas/read-declared.ts';
import type { Report } from '../schemas/report.ts';
import { writeFileAtomically } from '../system/atomic-files.ts';
import { sideBySide } from '../system/side-by-side.ts';
import { checkPaths } from './check.ts';
import { type Command, type Context, ENVIRONMENT_OPTION, type Outcome, UsageError } from './command.ts';
import { openFor } from './open-for.ts';
import { reviewEndpoint } from './review-endpoint.ts';
import { projectPlace, selectNames } from './select-endpoints.ts';

export const review: Command = {
  summary: 'Check, validate and preview what changed: the report that a pull request gets',
  usage: '[NAME…]',
  help: 'Without names: every endpoint whose file, lock, model or environment differs from the main branch, committed or not.\n\n  davit review --base origin/main\n  davit review iris --markdown report.md',
  options: {
    base: { type: 'string', value: 'REF', help: 'Compare with where this branch left REF; default: the main branch' },
    environment: {
      ...ENVIRONMENT_OPTION['environment'],
      type: 'string',
      multiple: true,
      help: 'Preview for this environment; may be given several times; default: local',
    },
    markdown: { type: 'string', value: 'FILE', help: 'Write the report there and print its first line only' },
  },
  args: { min: 0, max: Infinity },
  run: runReview,
};

const ENDPOINTS_AT_ONCE = 2;

async function runReview(context: Context): Promise<Outcome> {
  const report = await makeReport(context);
  const { markdown } = context.options;
  const rendered = renderReport(report);
  if (typeof markdown === 'string') await writeFileAtomically(resolve(context.cwd, markdown), rendered);
  return {
    diagnostics: [...report.diagnostics, ...report.endpoints.flatMap((e) => e.diagnostics)],
    result: report,
    text: typeof markdown === 'string' ? renderTopLine(report) : rendered,
    outage: report.endpoints.some((e) => e.outage !== null || e.previews.some((p) => p.outage !== null)),
  };
}

/** The whole review, endpoints side by side; what fails in one does not stop another. */
async function makeReport(context: Context): Promise<Report> {
  const { root } = context;
  const names = environmentNames(context);
  const [changes, { diagnostics: checked }, declared] = await Promise.all([
    readChanges(context),
    checkPaths([], { cwd: root, root: () => root }),
    Promise.all(names.map((name) => readEnvironment(projectPlace(context), name))),
  ]);
  const changed = await selectChanged(context, changes, names);
  const environments = declared.flatMap((d) => d.value ?? []);
  const [diagnostics, open] = [await withoutOutside(root, checked), openOnce(context)];
  const endpoints = await sideBySide(changed, ENDPOINTS_AT_ONCE, (c) =>
    reviewEndpoint(c, { context, environments, diagnostics, open }),
  );
  const others = otherDiagnostics(diagnostics, changed, changes);
  return {
    report_version: 2,
    base: changes?.base ?? null,
    environments: environments.map((e) => e.name),
    diagnostics: sortDiagnostics([...others, ...declared.flatMap((d) => d.diagnostics)]),
    endpoints,
  };
}

function environmentNames({ options }: Context): readonly string[] {
  const given = options['environment'];
  return Array.isArray(given) ? [...new Set(given as readonly string[])] : ['local'];
}

/** Whoever names endpoints needs no Git. */
async function readChanges({ root, options, args, signal }: Context): Promise<Changes | undefined> {
  const base = typeof options['base'] === 'string' ? options['base'] : undefined;
  try {
    return await readChangedPaths(root, base, signal);
  } catch (e) {
    if (!(e instanceof NoBaseError)) throw e;
    if (args.length > 0 && base === undefined) return undefined;
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
  const names = await listEndpoints(place);
  const read = await Promise.all(names.map((name) => readEndpoint(place, name)));
  const endpoints = read.flatMap((r) => r.value ?? []);
  const { root, args } = context;
  const changed = findChangedEndpoints(changes?.paths ?? [], { root, names, endpoints, environments });
  if (args.length === 0) return changed;
  const asked = await selectNames(place, args);
  return asked.map(
    (name) => changed.find((c) => c.endpoint === name) ?? { endpoint: name, change: 'asked', because: [] },
  );
}

/** Nothing is quoted from a file that a link has brought in. */
async function withoutOutside(root: string, diagnostics: readonly Diagnostic[]): Promise<readonly Diagnostic[]> {
  const links = await findOutsideLinks(
    root,
    diagnostics.map((d) => d.file),
  );
  const files = new Set(links.map((d) => d.file));
  return [...diagnostics.filter((d) => !files.has(d.file)), ...links];
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
