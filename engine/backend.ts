import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { z } from 'zod';

/** Where the engine keeps the state of a project's stacks. */
export interface Backend {
  /** As written; undefined: where the user is logged in. */
  readonly url: string | undefined;
  /** The folder, for a file backend; undefined for every other. */
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
  return { url, folder: url?.startsWith('file://') ? folderOf(url, root) : undefined, project: project.name };
}

/** Where the engine keeps the state of each stack, as `STACK.json`; undefined: the backend is no folder. */
export function stacksFolder({ folder, project }: Backend): string | undefined {
  return folder && join(folder, '.pulumi', 'stacks', project);
}

/** The engine takes a relative path, which URLs do not have, from the folder that it runs in: the project's. */
function folderOf(url: string, root: string): string | undefined {
  const path = url.slice('file://'.length).split('?', 1)[0] ?? '';
  if (path.startsWith('~')) return undefined;
  return path.startsWith('/') ? fileURLToPath(`file://${path}`) : resolve(root, path);
}
