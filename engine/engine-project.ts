import { existsSync } from 'node:fs';
import { readdir, realpath } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, relative, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { ENGINE_FOLDER } from '../schemas/deployment/folder-variables.ts';
import { readText } from '../schemas/read-project.ts';
import { contentHash } from '../schemas/values/names.ts';
import { writeFileAtomically } from '../system/atomic-files.ts';
import { codePath, programPath } from '../system/code.ts';
import { makeDavitFolder, davitFolder } from '../system/davit-folder.ts';
import { findRepository } from '../system/git/git-files.ts';
import { type Backend, findBackendFolder } from './state/backend.ts';

/** A project as the engine sees it: a folder with a Pulumi.yaml that leads to Davit's program. */
export interface EngineProject {
  /** Absolute path; the working folder of the engine. */
  readonly folder: string;
  readonly backend: Backend;
  /** Environment variables that the engine needs to find the backend. */
  readonly variables: Readonly<Record<string, string>>;
}

/** The backend of a project that names none: a folder of its own, without a file of metadata for each stack. */
const OWN_BACKEND = 'file://.davit/pulumi?metadata=skip';
const DEFAULT_NAME = 'davit';
const BACKEND_VARIABLE = 'PULUMI_BACKEND_URL';

const userProject = z.looseObject({
  name: z.string().optional(),
  main: z.string().optional(),
  config: z.unknown().optional(),
  stackConfigDir: z.string().optional(),
  backend: z.looseObject({ url: z.string().optional() }).optional(),
  plugins: z
    .looseObject({
      providers: z.array(z.looseObject({ name: z.string().optional(), path: z.string().optional() })).optional(),
    })
    .optional(),
});
type UserProject = z.infer<typeof userProject>;

/**
 * A Pulumi.yaml that the engine may use as it is. Any other field (`runtime.options.nodeargs`, `plugins.languages`,
 * `packages`, …) can name code that would run with the credentials of the deployment; with TypeScript, tsconfig.json can.
 */
const harmlessProject = z.strictObject({
  name: z.string().optional(),
  description: z.string().optional(),
  runtime: z.strictObject({ name: z.literal('nodejs'), options: z.strictObject({ typescript: z.literal(false) }) }),
  main: z.string(),
  config: z.unknown().optional(),
  stackConfigDir: z.string().optional(),
  backend: z.strictObject({ url: z.string().optional() }).optional(),
  plugins: z.strictObject({
    providers: z.tuple([z.strictObject({ name: z.literal('davit'), path: z.string() })]),
  }),
});
/** Pulumi may take one of these before Pulumi.yaml. */
const OTHER_PROJECT_FILES = ['Pulumi.json', 'Pulumi.yml'];

/**
 * Returns the engine's project for the Davit project at `root`. The user's Pulumi.yaml is it, where it leads to this
 * program and to no other code. Otherwise one is made below `.davit/`, with the name and the configuration of the user's
 * file if there is one. The backend is in a variable and not in that file, because two commands can have different ones at
 * the same time.
 */
export async function prepareEngineProject(root: string): Promise<EngineProject> {
  const text = await readText(join(root, 'Pulumi.yaml'));
  const users = text === undefined ? undefined : parseUserProject(text);
  const url = makeAbsolute(await chooseBackend(users), root);
  const project = users?.name ?? (await chooseName(root));
  const backend = { url, folder: url && findBackendFolder(url, root), project };
  const variables: Record<string, string> = url === undefined ? {} : { [BACKEND_VARIABLE]: url };
  if (users && (await leadsHere(users, root)))
    return { folder: root, backend, variables: users.backend?.url ? {} : variables };
  const folder = await makeDavitFolder(root, ENGINE_FOLDER);
  const made = {
    name: project,
    runtime: { name: 'nodejs', options: { typescript: false } },
    main: programPath('infra', 'index.ts'),
    stackConfigDir: relative(folder, await findSettingsFolder(root, users)),
    ...(users?.config !== undefined && { config: users.config }),
    plugins: { providers: [{ name: 'davit', path: codePath('local') }] },
  };
  await writeIfChanged(
    join(folder, 'Pulumi.yaml'),
    `# Made by Davit: changes in this file are lost\n${stringify(made)}`,
  );
  return { folder, backend, variables };
}

/** The backend of the Davit project at `root`, as every command chooses it. */
export async function findProjectBackend(root: string): Promise<ProjectBackend> {
  const text = await readText(join(root, 'Pulumi.yaml'));
  const url = await chooseBackend(text === undefined ? undefined : parseUserProject(text));
  return { url, isOwn: url === OWN_BACKEND };
}

export interface ProjectBackend {
  /** Undefined: the backend that the user is logged in to. */
  readonly url: string | undefined;
  /** Whether nobody chose a backend, so that it is the project's own folder. */
  readonly isOwn: boolean;
}

/** The URL of the backend in the Pulumi.yaml of a project; undefined: it names none. */
export async function readProjectBackend(root: string): Promise<string | undefined> {
  const text = await readText(join(root, 'Pulumi.yaml'));
  return text === undefined ? undefined : parseUserProject(text).backend?.url || undefined;
}

function parseUserProject(text: string): UserProject {
  const parsed = userProject.safeParse(parseYaml(text) ?? {});
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Error(
    `Cannot use Pulumi.yaml: ${issue?.message ?? ''} in "${issue?.path.join('.') ?? ''}", expected a project file of Pulumi (https://www.pulumi.com/docs/iac/concepts/projects/project-file)`,
  );
}

function parseYaml(text: string): unknown {
  try {
    return parse(text);
  } catch (e) {
    const why = e instanceof Error ? (e.message.split('\n')[0] ?? '').replace(/:$/, '') : String(e);
    throw new Error(`Cannot read Pulumi.yaml: ${why}, expected YAML. Correct the file`, { cause: e });
  }
}

/**
 * The backend's URL: PULUMI_BACKEND_URL, else that of the user's file. A file without one means the backend that the
 * user is logged in to; without a login or a file it is the project's own folder. Undefined: the login.
 */
async function chooseBackend(users: UserProject | undefined): Promise<string | undefined> {
  const url = process.env['PULUMI_BACKEND_URL'] || users?.backend?.url;
  if (url) return url;
  return users && (await isLoggedIn()) ? undefined : OWN_BACKEND;
}

async function isLoggedIn(): Promise<boolean> {
  const { PULUMI_ACCESS_TOKEN, PULUMI_CREDENTIALS_PATH, PULUMI_HOME } = process.env;
  if (PULUMI_ACCESS_TOKEN) return true;
  const folder = PULUMI_CREDENTIALS_PATH || PULUMI_HOME || join(homedir(), '.pulumi');
  const text = await readText(join(folder, 'credentials.json'));
  return text !== undefined && /"current"\s*:\s*"[^"]+"/.test(text);
}

/** Whether a user's Pulumi.yaml runs this Davit's program with its provider, and nothing else. */
async function leadsHere(users: UserProject, root: string): Promise<boolean> {
  const { data } = harmlessProject.safeParse(users);
  if (!data || OTHER_PROJECT_FILES.some((file) => existsSync(join(root, file)))) return false;
  const written = [resolve(root, data.main), resolve(root, data.plugins.providers[0].path)];
  const ours = [codePath('infra'), programPath('infra', 'index.ts'), codePath('local')];
  const [program, local, folder, file, wanted] = await Promise.all(
    [...written, ...ours].map((path) => realpath(path).catch(() => path)),
  );
  return (program === folder || program === file) && local === wanted;
}

/**
 * The name in the engine's state. Projects in folders of one repository may share a backend, so the name has the folder's
 * path in the repository, and a hash where the path is not plain: `a/b` and `a-b` differ.
 */
async function chooseName(root: string): Promise<string> {
  const real = await realpath(root);
  const repository = findRepository(real);
  const below = repository === undefined ? '' : relative(repository, real);
  const parts = below.split(sep);
  const words = parts.map((part) => part.replace(/[^A-Za-z0-9_.-]+/g, '-'));
  const isPlain = parts.every((part) => /^[A-Za-z0-9_.]*$/.test(part));
  const hash = isPlain ? [] : [contentHash(parts).slice(0, 8)];
  return [DEFAULT_NAME, ...words, ...hash].filter((word) => word !== '').join('-');
}

/**
 * The folder of the files with a stack's settings, `Pulumi.STACK.yaml`: the user's if it has some, else one of Davit's,
 * because the engine writes a file for each stack.
 */
async function findSettingsFolder(root: string, users: UserProject | undefined): Promise<string> {
  if (users?.stackConfigDir !== undefined) return resolve(root, users.stackConfigDir);
  const files = users ? await readdir(root) : [];
  return files.some((file) => /^Pulumi\..+\.ya?ml$/.test(file)) ? root : davitFolder(root, 'stacks');
}

/** The engine resolves a relative path against its own working folder. */
function makeAbsolute(url: string | undefined, root: string): string | undefined {
  const folder = url && findBackendFolder(url, root);
  if (!folder) return url;
  const [, settings] = url.split('?', 2);
  return `${pathToFileURL(folder).href}${settings === undefined ? '' : `?${settings}`}`;
}

async function writeIfChanged(file: string, text: string): Promise<void> {
  if ((await readText(file)) !== text) await writeFileAtomically(file, text);
}
