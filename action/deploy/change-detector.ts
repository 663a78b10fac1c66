import { relative, sep } from 'node:path';
import { findChangedEndpoints } from '../../review/changed-endpoints.ts';
import { addLinkedPaths } from '../../review/changed-paths.ts';
import type { Endpoint } from '../../schemas/endpoint/endpoint.ts';
import type { ProjectFolders } from '../../schemas/read-project.ts';
import { followFolderLinks } from '../../system/follow-links.ts';
import { locateModel } from '../../system/locate-model.ts';
import { type ProjectHistory, readChangesSince } from './history.ts';

export interface ProjectDeclarations {
  readonly history: ProjectHistory;
  readonly place: ProjectFolders;
  readonly names: readonly string[];
  readonly endpoints: readonly Endpoint[];
}

/** Whether an endpoint changed since a commit that it was deployed from, for one environment. */
export type ChangeDetector = (name: string, sha: string) => Promise<boolean>;

/** Runs Git once for each commit, however many endpoints were deployed from it. */
export function makeChangeDetector(
  { history, place, names, endpoints }: ProjectDeclarations,
  environment: string,
): ChangeDetector {
  const known = new Map<string, Promise<ReadonlySet<string> | undefined>>();
  const changedIn = async (sha: string) => {
    const paths = await readChangesSince(history, sha);
    if (!paths) return undefined;
    const read = names.flatMap((name) => {
      const endpoint = endpoints.find((e) => e.name === name);
      return listEndpointPaths(name, endpoint, { place, environment });
    });
    const linked = await addLinkedPaths(place.root, { base: sha, paths }, read, history.signal);
    const declarations = { root: place.root, names, endpoints, environments: [environment] };
    return new Set(findChangedEndpoints(linked, declarations).map((c) => c.endpoint));
  };
  return async (name, sha) => {
    const changed = known.get(sha) ?? changedIn(sha);
    known.set(sha, changed);
    return (await changed)?.has(name) ?? true;
  };
}

/** All paths that a review of the endpoint depends on, its own file first. */
export function listEndpointPaths(
  name: string,
  endpoint: Endpoint | undefined,
  { place, environment }: { readonly place: ProjectFolders; readonly environment: string },
): readonly [string, ...string[]] {
  const models = (endpoint?.entities ?? []).flatMap(({ model }) => {
    const { folder } = locateModel(place.root, model);
    const path = folder === undefined ? '' : relative(place.root, folder).split(sep).join('/');
    return path !== '' && !path.startsWith('..') ? [path] : [];
  });
  const own = [`${place.endpoints}/${name}.yaml`, `${place.endpoints}/${name}.lock`] as const;
  return [...own, ...new Set(models), `environments/${environment}.yaml`];
}

/** The paths, and those in the project that their links lead to: a change there changes what is read. */
export async function followPaths(
  root: string,
  [first, ...others]: readonly [string, ...string[]],
): Promise<readonly [string, ...string[]]> {
  const followed = await Promise.all([first, ...others].map((path) => followFolderLinks(root, path)));
  const linked = followed.flatMap(({ steps }) => steps.slice(1).filter((step) => !step.startsWith('../')));
  return [first, ...new Set([...others, ...linked])];
}
