import { posix, relative, sep } from 'node:path';
import type { Endpoint } from '../schemas/endpoint/endpoint.ts';
import type { ChangedPath, EndpointReport } from '../schemas/report/report.ts';
import { locateModel } from '../system/locate-model.ts';

/** An endpoint that a change affects. */
export interface ChangedEndpoint extends Pick<EndpointReport, 'change' | 'because'> {
  readonly endpoint: string;
}

/** The current declarations of a project. */
export interface Declarations {
  readonly root: string;
  /** The names of all endpoint files, including those with errors. */
  readonly names: readonly string[];
  /** The endpoints that can be read. */
  readonly endpoints: readonly Endpoint[];
  /** The names of the environments under review. */
  readonly environments: readonly string[];
}

/** Changed paths → the endpoints whose file, lock, model, validation input or environment changed, sorted by name; pure. */
export function findChangedEndpoints(
  paths: readonly ChangedPath[],
  declarations: Declarations,
): readonly ChangedEndpoint[] {
  const { names, endpoints, environments } = declarations;
  const environmentFiles = new Set(environments.map((e) => `environments/${e}.yaml`));
  const shared = paths.filter((p) => environmentFiles.has(p.path));
  const gone = paths.flatMap((p) => (p.change === 'deleted' ? (parseEndpointName(p.path) ?? []) : []));
  const all = [...new Set([...names, ...gone])].sort();
  return all.flatMap((name): readonly ChangedEndpoint[] => {
    const own = paths.filter((p) => p.path === `endpoints/${name}.yaml` || p.path === `endpoints/${name}.lock`);
    if (!names.includes(name)) return [{ endpoint: name, change: 'removed', because: own }];
    const endpoint = endpoints.find((e) => e.name === name);
    const models = endpoint ? listChangedModels(paths, endpoint, declarations.root) : [];
    const inputs = endpoint ? listChangedInputs(paths, endpoint) : [];
    const because = [...own, ...models, ...inputs, ...shared];
    if (because.length === 0) return [];
    const added = own.some((p) => p.path.endsWith('.yaml') && p.change === 'added');
    return [{ endpoint: name, change: added ? 'added' : own.length > 0 ? 'changed' : 'affected', because }];
  });
}

/** `iris` of `endpoints/iris.yaml`; folders below endpoints/ do not count. */
function parseEndpointName(path: string): string | undefined {
  return /^endpoints\/([^/]+)\.yaml$/s.exec(path)?.[1];
}

/** The folders of an endpoint's models and the files that its validation cases predict, relative to the root. */
export function listReadPaths(root: string, endpoint: Endpoint): readonly string[] {
  return [...listModelFolders(root, endpoint), ...listInputs(endpoint)];
}

function listModelFolders(root: string, { entities }: Endpoint): readonly string[] {
  return entities.flatMap(({ model }) => {
    const { folder } = locateModel(root, model);
    return folder === undefined ? [] : [relative(root, folder).split(sep).join('/')];
  });
}

/** A file below a model's folder is part of the model. */
function listInputs({ entities }: Endpoint): readonly string[] {
  return entities.flatMap((e) =>
    e.validation.flatMap((c) => ('path' in c.input ? [posix.normalize(c.input.path)] : [])),
  );
}

function listChangedInputs(paths: readonly ChangedPath[], endpoint: Endpoint): readonly ChangedPath[] {
  const inputs = listInputs(endpoint);
  return paths.filter((p) => inputs.includes(p.path));
}

/** The folders of the endpoint's models that changed: one entry per folder, however many files. */
function listChangedModels(paths: readonly ChangedPath[], endpoint: Endpoint, root: string): readonly ChangedPath[] {
  return [...new Set(listModelFolders(root, endpoint))].flatMap((folder) => {
    // A model's folder may itself be tracked as a link or as another repository.
    const inside = paths.filter((p) => p.path === folder || p.path.startsWith(`${folder}/`));
    const [first] = inside;
    if (!first) return [];
    const same = inside.every((p) => p.change === first.change);
    return [{ path: folder, change: same ? first.change : ('modified' as const) }];
  });
}
