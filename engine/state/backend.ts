import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { z } from 'zod';

/** Where the engine keeps the state of a project's stacks. */
export interface Backend {
  /** As written; undefined: the backend that the user is logged in to. */
  readonly url: string | undefined;
  /** The folder of a file backend; undefined for every other kind. */
  readonly folder: string | undefined;
  /** The project's name in Pulumi.yaml. */
  readonly project: string;
}

const projectFile = z.looseObject({
  name: z.string(),
  backend: z.looseObject({ url: z.string().optional() }).optional(),
});

/** Reads which backend the engine will use for the project at `root`: the user's, else the one in Pulumi.yaml. */
export async function readBackend(root: string): Promise<Backend> {
  const project = projectFile.parse(parse(await readFile(join(root, 'Pulumi.yaml'), 'utf8')));
  const url = process.env['PULUMI_BACKEND_URL'] || project.backend?.url;
  return { url, folder: url && findBackendFolder(url, root), project: project.name };
}

/** The folder that has each stack's state as `STACK.json`; undefined: the backend is not a folder. */
export function stacksFolder({ folder, project }: Backend): string | undefined {
  return folder && join(folder, '.pulumi', 'stacks', project);
}

/**
 * The folder of a file backend; undefined for every other kind. The engine resolves a relative path, which URLs do not
 * have, against its working folder: the project's root.
 */
export function findBackendFolder(url: string, root: string): string | undefined {
  if (!url.startsWith('file://')) return undefined;
  const path = url.slice('file://'.length).split('?', 1)[0] ?? '';
  if (path.startsWith('~')) return undefined;
  return path.startsWith('/') ? fileURLToPath(`file://${path}`) : resolve(root, path);
}
