import { isAbsolute, relative } from 'node:path';
import type { PulumiProject } from '../engine/project.ts';
import { refuseFiles } from '../review/refuse-files.ts';
import { hasErrors, type Diagnostic, sortDiagnostics } from '../schemas/diagnostic.ts';
import type { Endpoint } from '../schemas/endpoint/endpoint.ts';
import type { Environment } from '../schemas/environment/environment.ts';
import { declaredRoot, type ProjectPlace, readLock } from '../schemas/read-declared.ts';
import type { EndpointReport, PreviewReport } from '../schemas/report/report.ts';
import { locateModel } from '../system/locate-model.ts';
import { attempt } from './attempt.ts';
import type { Context } from './command.ts';
import { type PreviewedEndpoint, previewEndpoint, previewRemoval } from './preview.ts';
import { isProven, readReviewed } from './review-validate.ts';
import { projectPlace } from './select-endpoints.ts';

export interface PreviewStage {
  /** Its `declared` has the folder of computed locks. */
  readonly context: Context;
  readonly environments: readonly Environment[];
  /** Opens the engine, once for all endpoints. */
  readonly open: () => Promise<PulumiProject>;
  /** Waits until the machine has room for another engine. */
  readonly turn: <T>(work: () => Promise<T>) => Promise<T>;
}

/** Adds the previews to an endpoint's report. A failure is part of the report; only an interruption is thrown. */
export async function previewChanged(known: EndpointReport, stage: PreviewStage): Promise<EndpointReport> {
  const { endpoint: name, change } = known;
  if (change === 'removed') {
    const removal: PreviewOne = async (project, context) => ({
      plan: await previewRemoval(name, project, context),
      fingerprint: undefined,
    });
    return { ...known, previews: await previewAll(stage, removal) };
  }
  if (!isProven(known)) return known;
  const place = projectPlace(stage.context);
  const { value, diagnostics } = await readReviewed(place, name, stage.environments);
  const before = [...known.diagnostics, ...diagnostics, ...(value ? await checkReadable(place, value) : [])];
  if (!value || hasErrors(before)) return { ...known, diagnostics: sortDiagnostics(before) };
  const refused: Diagnostic[] = [];
  const previews = await previewAll(stage, async (project, there) => {
    const previewed = await previewEndpoint(value, project, there);
    refused.push(...previewed.diagnostics);
    return previewed;
  });
  return { ...known, diagnostics: sortDiagnostics([...before, ...refused]), previews };
}

/** Checks the other files that the program will read: the lock, and models that are folders of the checkout. */
async function checkReadable(place: ProjectPlace, endpoint: Endpoint): Promise<readonly Diagnostic[]> {
  const { name } = endpoint;
  const computed = place.locks === undefined ? [] : await refuseFiles(place.locks, [`${name}.lock`]);
  if (computed.length > 0) return computed;
  const root = declaredRoot(place);
  const models = endpoint.entities.map(({ model }) => relative(root, locateModel(root, model).folder));
  // A file may openly name a folder elsewhere, where a reviewer sees it. A link that hides that is refused.
  const inside = models.filter((path) => !path.startsWith('..') && !isAbsolute(path));
  const outside = place.from === undefined ? [] : await refuseFiles(place.from, inside);
  return [...outside, ...(await readLock(place, name)).diagnostics];
}

/** Previews in the context's environment. */
type PreviewOne = (
  project: PulumiProject,
  context: Context,
) => Promise<Pick<PreviewedEndpoint, 'plan' | 'fingerprint'>>;

function previewAll(
  { context, environments, open, turn }: PreviewStage,
  preview: PreviewOne,
): Promise<readonly PreviewReport[]> {
  const previewOne = async ({ name }: Environment): Promise<PreviewReport> => {
    const there = { ...context, options: { ...context.options, environment: name } };
    const { value, outage } = await attempt(context, async () => preview(await open(), there));
    return { environment: name, plan: value?.plan ?? null, outage, fingerprint: value?.fingerprint ?? null };
  };
  return Promise.all(environments.map((e) => turn(() => previewOne(e))));
}
