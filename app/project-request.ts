import { openProject, type PulumiProject } from '../engine/pulumi-project.ts';
import type { Environment } from '../schemas/environment/environment.ts';
import { renderFolderVariables } from '../schemas/deployment/folder-variables.ts';
import type { ProjectFolders } from '../schemas/read-project.ts';
import type { Progress } from '../system/progress.ts';

/** A request about a project: its folders, and how the work reports its progress and is stopped. */
export interface ProjectRequest {
  readonly place: ProjectFolders;
  readonly progress: Progress;
  /** Aborts when the work must stop at the next safe point. */
  readonly signal: AbortSignal;
  /** Models are proved with the user's own rights. Undefined: the environment of the user decides. */
  readonly withoutSandbox?: boolean | undefined;
}

/** A request about one environment of a project. */
export interface EnvironmentRequest extends ProjectRequest {
  readonly environment: Environment;
}

/** Opens the project for Pulumi. The program reads endpoint files and locks from the folders of the request. */
export async function openProjectForRequest({ place, progress, signal }: ProjectRequest): Promise<PulumiProject> {
  const project = await openProject(place.root, { progress, signal });
  return { ...project, environment: { ...project.environment, ...renderFolderVariables(place) } };
}

/** Returns a function that opens the project at its first call, and returns the same project at each later call. */
export function openProjectOnce(request: ProjectRequest): () => Promise<PulumiProject> {
  let project: Promise<PulumiProject> | undefined;
  return () => (project ??= openProjectForRequest(request));
}
