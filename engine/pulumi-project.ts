import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { programPath } from '../system/code.ts';
import type { Progress } from '../system/progress.ts';
import { davitFolder, makeDavitFolder, refuseTrackedDavitFiles } from '../system/davit-folder.ts';
import { findPulumi } from './install/find-pulumi.ts';
import type { InstallOptions, PulumiEngine } from './install/pulumi-source.ts';
import { type EngineProject, prepareEngineProject } from './engine-project.ts';
import { makePassphrase, makePulumiEnvironment, type PulumiEnvironment } from './pulumi-environment.ts';
import { type Backend, readBackend } from './state/backend.ts';
import { repairState } from './state/repair-state.ts';
import { hasOwnState, refreshUsers, withStateInUse } from './state/state-users.ts';

/** A project and its engine. */
export interface PulumiProject {
  /** Absolute path of the project. */
  readonly root: string;
  /** Absolute path of the folder of Pulumi.yaml, where the engine runs. */
  readonly folder: string;
  /** Absolute path of the module that serves its program from this process (`ServeProgram`). Undefined: the engine runs it. */
  readonly programServer: string | undefined;
  readonly engine: PulumiEngine;
  readonly backend: Backend;
  readonly environment: PulumiEnvironment;
  /** The part of `environment` that says where the backend is, for the user's own shell. */
  readonly variables: PulumiEnvironment;
}

/** Serves Davit's own program. */
export const PROGRAM_SERVER = programPath('infra', 'serve-program.ts');

/** Finds the engine, which may have to be built first, and makes what it needs in the Davit project at `root`. */
export async function openProject(root: string, options: Partial<InstallOptions> = {}): Promise<PulumiProject> {
  await refuseTrackedDavitFiles(root);
  const [engine, prepared] = await Promise.all([
    findPulumi(options),
    withStateInUse(root, () => prepareEngineProject(root), options),
  ]);
  return withStateInUse(root, () => open(root, engine, { ...prepared, programServer: PROGRAM_SERVER }), options);
}

/** Opens a folder with a Pulumi.yaml of any program. */
export async function openPulumiFolder(root: string, options: Partial<InstallOptions> = {}): Promise<PulumiProject> {
  const [engine, backend] = await Promise.all([findPulumi(options), readBackend(root)]);
  return withStateInUse(
    root,
    () => open(root, engine, { folder: root, backend, variables: {}, programServer: undefined }),
    options,
  );
}

/**
 * Runs an operation of the engine on a project. Until it ends, no process removes the state. If another operation has
 * removed it since the project was opened, what the engine needs is made again.
 */
export async function useProject<T>(
  project: PulumiProject,
  operate: () => Promise<T>,
  options: { readonly progress?: Progress; readonly signal?: AbortSignal | undefined } = {},
): Promise<T> {
  if (!hasOwnState(project)) return operate();
  return withStateInUse(
    project.root,
    async () => {
      await restoreFiles(project);
      return operate();
    },
    options,
  );
}

async function restoreFiles({ root, folder, backend, environment }: PulumiProject): Promise<void> {
  const passphrase = environment['PULUMI_CONFIG_PASSPHRASE_FILE'];
  const needed = [join(folder, 'Pulumi.yaml'), davitFolder(root, 'stacks'), backend.folder, passphrase];
  if (needed.every((path) => path === undefined || existsSync(path))) return;
  if (folder !== root) await prepareEngineProject(root);
  await makeStateFolders(root, backend);
  await makePassphrase(root);
}

async function makeStateFolders(root: string, backend: Backend): Promise<void> {
  await makeDavitFolder(root, 'stacks');
  if (backend.folder) await mkdir(backend.folder, { recursive: true });
}

async function open(
  root: string,
  engine: PulumiEngine,
  prepared: EngineProject & Pick<PulumiProject, 'programServer'>,
): Promise<PulumiProject> {
  const { folder, backend, variables, programServer } = prepared;
  await makeStateFolders(root, backend);
  await Promise.all([repairState(backend), refreshUsers(root)]);
  const environment = { ...(await makePulumiEnvironment(root, engine, backend)), ...variables };
  return { root, folder, programServer, engine, backend, environment, variables };
}
