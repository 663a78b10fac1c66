import { isAbsolute, relative } from 'node:path';
import type { PulumiProject } from '../../engine/pulumi-project.ts';
import { refuseFiles } from '../../review/refuse-files.ts';
import { hasErrors, type Diagnostic, sortDiagnostics } from '../../schemas/diagnostic.ts';
import type { Endpoint } from '../../schemas/endpoint/endpoint.ts';
import type { Environment } from '../../schemas/environment/environment.ts';
import { declarationsRoot, type ProjectFolders, readLock } from '../../schemas/read-project.ts';
import type { EndpointReport, PreviewReport } from '../../schemas/report/report.ts';
import { locateModel } from '../../system/locate-model.ts';
import { catchOutage } from '../catch-outage.ts';
import type { EnvironmentRequest, ProjectRequest } from '../project-request.ts';
import { type PreviewedEndpoint, previewEndpoint, previewRemoval } from '../deploy/preview-endpoints.ts';
import { isProven, readReviewed } from './validate-changed.ts';

export interface PreviewEnvironment {
  readonly environment: Environment;
  /** The folders of its previews. */
  readonly place: ProjectFolders;
  /** Opens the engine, once for all endpoints. */
  readonly open: () => Promise<PulumiProject>;
}

export interface PreviewStage {
  /** Its place has the folder of computed locks. */
  readonly request: ProjectRequest;
  readonly environments: readonly PreviewEnvironment[];
  /** Waits until the machine has room for another engine. */
  readonly turn: <T>(work: () => Promise<T>) => Promise<T>;
}

/** Adds the previews to an endpoint's report. A failure is part of the report; only an interruption is thrown. */
export async function previewChanged(known: EndpointReport, stage: PreviewStage): Promise<EndpointReport> {
  const { endpoint: name, change } = known;
  if (change === 'removed') {
    const removal: PreviewOne = async (project, request) => ({
      plan: await previewRemoval(name, project, request),
      fingerprint: undefined,
    });
    return { ...known, previews: await previewAll(stage, removal) };
  }
  if (!isProven(known)) return known;
  const { place } = stage.request;
  const { value, diagnostics } = await readReviewed(
    place,
    name,
    stage.environments.map((e) => e.environment),
  );
  const before = [...known.diagnostics, ...diagnostics, ...(value ? await checkReadable(place, value) : [])];
  if (!value || hasErrors(before)) return { ...known, diagnostics: sortDiagnostics(before) };
  const refused: Diagnostic[] = [];
  const previews = await previewAll(stage, async (project, request) => {
    const previewed = await previewEndpoint(value, project, request);
    refused.push(...previewed.diagnostics);
    return previewed;
  });
  return { ...known, diagnostics: sortDiagnostics([...before, ...refused]), previews };
}

/** Checks the other files that the program will read: the lock, and models that are folders of the checkout. */
async function checkReadable(place: ProjectFolders, endpoint: Endpoint): Promise<readonly Diagnostic[]> {
  const { name } = endpoint;
  const computed = place.locks === undefined ? [] : await refuseFiles(place.locks, [`${name}.lock`]);
  if (computed.length > 0) return computed;
  const root = declarationsRoot(place);
  const folders = endpoint.entities.flatMap(({ model }) => locateModel(root, model).folder ?? []);
  const models = folders.map((folder) => relative(root, folder));
  // A file may openly name a folder elsewhere, where a reviewer sees it. A link that hides that is refused.
  const inside = models.filter((path) => !path.startsWith('..') && !isAbsolute(path));
  const outside = place.from === undefined ? [] : await refuseFiles(place.from, inside);
  return [...outside, ...(await readLock(place, name)).diagnostics];
}

/** Previews in the environment of the request. */
type PreviewOne = (
  project: PulumiProject,
  request: EnvironmentRequest,
) => Promise<Pick<PreviewedEndpoint, 'plan' | 'fingerprint'>>;

function previewAll(
  { request, environments, turn }: PreviewStage,
  preview: PreviewOne,
): Promise<readonly PreviewReport[]> {
  const previewOne = async ({ environment, place, open }: PreviewEnvironment): Promise<PreviewReport> => {
    const work = async () => preview(await open(), { ...request, place, environment });
    const { value, outage } = await catchOutage(request.signal, work);
    return {
      environment: environment.name,
      plan: value?.plan ?? null,
      outage,
      fingerprint: value?.fingerprint ?? null,
    };
  };
  return Promise.all(environments.map((e) => turn(() => previewOne(e))));
}
