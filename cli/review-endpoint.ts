import type { PulumiProject } from '../engine/project.ts';
import type { ChangedEndpoint } from '../review/changed-endpoints.ts';
import { findOutsideLinks } from '../review/outside-links.ts';
import { type Diagnostic, hasErrors, sortDiagnostics } from '../schemas/diagnostic.ts';
import type { Endpoint } from '../schemas/endpoint.ts';
import { checkAgainstEnvironment } from '../schemas/check-against-environment.ts';
import type { Environment } from '../schemas/environment.ts';
import type { Plan } from '../schemas/plan.ts';
import { lockFile, readEndpoint } from '../schemas/read-declared.ts';
import type { EndpointReport, EntityReport, PreviewReport } from '../schemas/report.ts';
import { named } from '../system/progress.ts';
import type { EntityValidation, Validation } from '../validation/validate-endpoint.ts';
import type { Context } from './command.ts';
import { previewEndpoint, previewRemoval } from './preview.ts';
import { messages } from './print.ts';
import { projectPlace } from './select-endpoints.ts';
import { validateDeclared } from './validate.ts';

export interface ReviewOptions {
  readonly context: Context;
  readonly environments: readonly Environment[];
  /** What the check of all files says. */
  readonly diagnostics: readonly Diagnostic[];
  /** Opens the engine, once for all. */
  readonly open: () => Promise<PulumiProject>;
}

/** Check, validate, preview of one endpoint. What fails is in its report; nothing is thrown but an interruption. */
export async function reviewEndpoint(changed: ChangedEndpoint, options: ReviewOptions): Promise<EndpointReport> {
  const nothing = { ...changed, lock: 'unknown', diagnostics: [], entities: [], outage: null } as const;
  if (changed.change === 'removed') {
    const removal: PreviewOne = (project, context) => previewRemoval(changed.endpoint, project, context);
    return { ...nothing, previews: await previewAll(options, removal) };
  }
  const { context, environments } = options;
  const place = projectPlace(context);
  const file = `${place.endpoints}/${changed.endpoint}.yaml`;
  const links = await findOutsideLinks(context.root, [file, lockFile(place, changed.endpoint)]);
  if (links.length > 0) return { ...nothing, diagnostics: links, previews: [] };
  const read = await readEndpoint(place, changed.endpoint);
  const unfit = environments.flatMap((e) => (read.value ? checkAgainstEnvironment(read.value, e) : []));
  const checked = [...options.diagnostics.filter((d) => d.file === file), ...read.diagnostics, ...unfit];
  if (!read.value) return { ...nothing, diagnostics: sortDiagnostics(checked), previews: [] };
  return reviewReadable(read.value, { ...nothing, diagnostics: checked, previews: [] }, options);
}

async function reviewReadable(endpoint: Endpoint, report: EndpointReport, options: ReviewOptions) {
  const { context } = options;
  const tried = await attempt(context, () =>
    validateDeclared(endpoint, context, named(context.progress, endpoint.name)),
  );
  if (!tried.value) return { ...report, outage: tried.outage };
  const diagnostics = [...report.diagnostics, ...tried.value.diagnostics];
  const validated = {
    ...report,
    lock: lockState(tried.value),
    entities: tried.value.entities.map(makeEntityReport),
    diagnostics: sortDiagnostics(diagnostics),
  };
  if (hasErrors(diagnostics)) return validated;
  const refused: Diagnostic[] = [];
  const previews = await previewAll(options, async (project, there) => {
    const previewed = await previewEndpoint(endpoint, project, there);
    refused.push(...previewed.diagnostics);
    return previewed.plan;
  });
  return { ...validated, diagnostics: sortDiagnostics([...diagnostics, ...refused]), previews };
}

/** Previews in the environment that the context asks for. */
type PreviewOne = (project: PulumiProject, context: Context) => Promise<Plan>;

async function previewAll(
  { context, environments, open }: ReviewOptions,
  preview: PreviewOne,
): Promise<readonly PreviewReport[]> {
  const previews: PreviewReport[] = [];
  for (const { name } of environments) {
    const there = { ...context, options: { ...context.options, environment: name } };
    const { value, outage } = await attempt(context, async () => preview(await open(), there));
    previews.push({ environment: name, plan: value ?? null, outage });
  }
  return previews;
}

/** An outage of one endpoint is a line of the report: the others go on. */
async function attempt<T>({ signal }: Pick<Context, 'signal'>, work: () => Promise<T>) {
  try {
    return { value: await work(), outage: null };
  } catch (e) {
    signal.throwIfAborted();
    return { value: undefined, outage: messages(e).join('; because: ') };
  }
}

function makeEntityReport({ entity, model, stages, proof }: EntityValidation): EntityReport {
  return {
    entity,
    model,
    stages,
    proof: proof
      ? {
          python: proof.python,
          mlflow: proof.mlflow ?? null,
          sandboxed: proof.sandboxed,
          answer: proof.answer ?? null,
          peakMemoryBytes: proof.peakMemoryBytes,
        }
      : null,
  };
}

function lockState({ entities, diagnostics }: Validation): EndpointReport['lock'] {
  const codes = diagnostics.map((d) => d.code);
  if (codes.includes('lock-missing')) return 'missing';
  if (codes.includes('lock-invalid')) return 'invalid';
  if (codes.includes('lock-stale')) return 'stale';
  return entities.every((e) => e.stages.some((s) => s.name === 'lock')) ? 'up-to-date' : 'unknown';
}
