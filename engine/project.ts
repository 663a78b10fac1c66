import { mkdir } from 'node:fs/promises';
import { makeDavitFolder, refuseTrackedDavitFiles } from '../system/davit-folder.ts';
import { findPulumi } from './install/find-pulumi.ts';
import type { InstallOptions, PulumiEngine } from './install/pulumi-source.ts';
import { type EngineProject, prepareEngineProject } from './engine-project.ts';
import { makePulumiEnvironment, type PulumiEnvironment } from './pulumi-environment.ts';
import { type Backend, readBackend } from './state/backend.ts';
import { repairState } from './state/repair-state.ts';

/** A project and its engine. */
export interface PulumiProject {
  /** Absolute path of the project. */
  readonly root: string;
  /** Absolute path of the folder of Pulumi.yaml, where the engine runs. */
  readonly folder: string;
  /** Whether its program is Davit's, which then runs in this process. */
  readonly isOurs: boolean;
  readonly engine: PulumiEngine;
  readonly backend: Backend;
  readonly environment: PulumiEnvironment;
  /** The part of `environment` that says where the backend is, for the user's own shell. */
  readonly variables: PulumiEnvironment;
}

/** Finds the engine, which may have to be built first, and makes what it needs in the Davit project at `root`. */
export async function openProject(root: string, options: Partial<InstallOptions> = {}): Promise<PulumiProject> {
  await refuseTrackedDavitFiles(root);
  const [engine, prepared] = await Promise.all([findPulumi(options), prepareEngineProject(root)]);
  return open(root, engine, { ...prepared, isOurs: true });
}

/** Opens a folder with a Pulumi.yaml of any program. */
export async function openPulumiFolder(root: string, options: Partial<InstallOptions> = {}): Promise<PulumiProject> {
  const [engine, backend] = await Promise.all([findPulumi(options), readBackend(root)]);
  return open(root, engine, { folder: root, backend, variables: {}, isOurs: false });
}

async function open(
  root: string,
  engine: PulumiEngine,
  prepared: EngineProject & Pick<PulumiProject, 'isOurs'>,
): Promise<PulumiProject> {
  const { folder, backend, variables, isOurs } = prepared;
  await makeDavitFolder(root, 'stacks');
  if (backend.folder) await mkdir(backend.folder, { recursive: true });
  await repairState(backend);
  const environment = { ...(await makePulumiEnvironment(root, engine, backend)), ...variables };
  return { root, folder, isOurs, engine, backend, environment, variables };
}
