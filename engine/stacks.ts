import { existsSync } from 'node:fs';
import { access, readdir, rm, rmdir } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { Progress } from '../system/progress.ts';
import { stacksFolder } from './state/backend.ts';
import { hasResources, listExportedTypes, readResourceTypes } from './state/pending-operations.ts';
import { type PulumiProject, useProject } from './pulumi-project.ts';
import { PulumiFailed, runPulumiCommand } from './pulumi-command.ts';
import { readErrorMessage } from '../schemas/values/read-error-message.ts';

/** The names of the project's stacks. A file backend is listed by its files, any other backend by the engine. */
export async function listStacks(project: PulumiProject): Promise<readonly string[]> {
  const stacks = stacksFolder(project.backend);
  if (stacks) return listStackFiles(stacks);
  const stdout = await runStackCommand(project, ['stack', 'ls', '--json']);
  return (JSON.parse(stdout) as readonly { readonly name: string }[]).map((stack) => stack.name);
}

async function listStackFiles(folder: string): Promise<readonly string[]> {
  const files = await readdir(folder).catch((e: unknown) => {
    if ((e as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw e;
  });
  const names = files.flatMap((file) => /^(.+)\.json(?:\.gz)?$/.exec(file)?.[1] ?? []);
  return [...new Set(names)].sort();
}

/** The outputs of the last update, with secrets as "[secret]"; undefined: the stack does not exist. */
export async function readStackOutputs(
  project: PulumiProject,
  stack: string,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  try {
    const stdout = await runStackCommand(project, ['stack', 'output', '--json', '--stack', stack]);
    return JSON.parse(stdout) as Readonly<Record<string, unknown>>;
  } catch (e) {
    if (e instanceof PulumiFailed && e.stderr.includes('no stack named ')) return undefined;
    throw e;
  }
}

/** Whether a stack exists. A file backend is checked by its file, any other backend by the engine. */
export async function hasStack(project: PulumiProject, stack: string): Promise<boolean> {
  const stacks = stacksFolder(project.backend);
  if (!stacks) return (await listStacks(project)).includes(stack);
  const files = ['json', 'json.gz'].map((end) => join(stacks, `${stack}.${end}`));
  return Promise.any(files.map((file) => access(file))).then(
    () => true,
    () => false,
  );
}

/** Whether something was deployed by a stack. */
export async function isDeployed(project: PulumiProject, stack: string): Promise<boolean> {
  if (!(await hasStack(project, stack))) return false;
  return (await hasResources(stack, project.backend)) ?? true;
}

/**
 * Whether another program made a stack: it has resources and none of Davit. A user's Pulumi.yaml with another program has
 * stacks of both. An empty stack can be Davit's.
 */
export async function isMadeByOthers(project: PulumiProject, stack: string): Promise<boolean> {
  if (project.folder === project.root || !existsSync(join(project.root, 'Pulumi.yaml'))) return false;
  const types =
    (await readResourceTypes(stack, project.backend)) ??
    listExportedTypes(await runStackCommand(project, ['stack', 'export', '--stack', stack]));
  return types.some((type) => !type.startsWith('pulumi:')) && !types.some((type) => type.startsWith('davit:'));
}

/** Makes a stack if it does not exist; does not select it, which plain `pulumi` would notice. */
export async function ensureStack(project: PulumiProject, stack: string): Promise<void> {
  if (await hasStack(project, stack)) return;
  try {
    await runStackCommand(project, ['stack', 'init', stack, '--no-select']);
  } catch (e) {
    if (!(e instanceof PulumiFailed && e.stderr.includes('already exists'))) throw e;
  }
}

/**
 * Removes the engine's history and backups of a deleted stack, only in the project's own backend. Leaves those of a stack
 * that another process has made again meanwhile, and its lock. An error is reported as progress: the stack is deleted.
 */
export async function removeStackHistory(of: PulumiProject, stack: string, progress: Progress): Promise<void> {
  const { folder, project } = of.backend;
  if (!folder?.startsWith(join(of.root, '.davit') + sep) || (await hasStack(of, stack))) return;
  const kept = [
    join('backups', project, stack),
    join('history', project, stack),
    join('stacks', project, `${stack}.json.bak`),
    join('stacks', project, `${stack}.json.bak.attrs`),
  ];
  const removed = kept.map(async (path) => {
    const file = join(folder, '.pulumi', path);
    await rm(file, { recursive: true, force: true }).catch((e: unknown) =>
      progress.say(`Cannot delete the history of ${stack} in ${file}: ${readErrorMessage(e)}`),
    );
  });
  await Promise.all(removed);
  await rmdir(join(folder, '.pulumi', 'locks', 'organization', project, stack)).catch(() => undefined);
}

/** Runs one `pulumi` command in the project and returns its standard output. */
export async function runStackCommand(
  project: PulumiProject,
  args: readonly string[],
  signal?: AbortSignal,
): Promise<string> {
  const { folder: cwd, engine, environment } = project;
  const run = () => runPulumiCommand(engine, [...args, '--non-interactive'], { cwd, environment, signal });
  return (await useProject(project, run, { signal })).stdout;
}
