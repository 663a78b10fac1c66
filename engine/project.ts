import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Backend, readBackend } from './state/backend.ts';
import { findPulumi } from './install/find-pulumi.ts';
import type { InstallOptions, PulumiEngine } from './install/pulumi-source.ts';
import { repairState } from './state/repair-state.ts';
import { makePulumiEnvironment, type PulumiEnvironment } from './pulumi-environment.ts';

/** A project and its engine. */
export interface PulumiProject {
  /** Absolute path of the folder of Pulumi.yaml. */
  readonly root: string;
  readonly engine: PulumiEngine;
  readonly backend: Backend;
  readonly environment: PulumiEnvironment;
}

/** Finds the engine, which may have to be built first, and makes the folders that it needs in the project at `root`. */
export async function openProject(root: string, options: Partial<InstallOptions> = {}): Promise<PulumiProject> {
  const [engine, backend] = await Promise.all([findPulumi(options), readBackend(root)]);
  const folders = [join(root, '.davit', 'stacks'), ...(backend.folder ? [backend.folder] : [])];
  await Promise.all(folders.map((folder) => mkdir(folder, { recursive: true })));
  await repairState(backend);
  return { root, engine, backend, environment: await makePulumiEnvironment(root, engine, backend) };
}
