import { lstatSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { readText } from '../../schemas/read-project.ts';
import { runGit } from '../../system/run-git.ts';
import { CLOUD_PLACEHOLDERS } from './credentials.ts';
import { DOCUMENTED_DIGEST, readDocumentedFiles } from './documented-files.ts';
import { adaptToEnterpriseServer } from './enterprise-server.ts';
import type { GithubSetting } from './github-settings.ts';
import { type InitAnswers, PLACEHOLDERS, planFiles } from './plan-files.ts';

export interface InitializedProject {
  readonly files: readonly { readonly path: string; readonly state: 'written' | 'exists' }[];
  /** What is left to do in the files themselves. */
  readonly left: readonly string[];
}

/** Writes the files that are not there yet. A file that exists is never changed. */
export async function initProject(root: string, answers: InitAnswers): Promise<InitializedProject> {
  const documented = await readDocumentedFiles();
  const planned = planFiles(answers, answers.enterpriseServer ? await adaptToEnterpriseServer(documented) : documented);
  const repository = findRepositoryRoot(root, answers.project);
  const files: InitializedFile[] = [];
  for (const { path, text, atRepositoryRoot } of planned) {
    const file = join(atRepositoryRoot ? repository : root, path);
    const exists = lstatSync(file, { throwIfNoEntry: false }) !== undefined; // also a link that leads nowhere
    if (!exists) {
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, text, { flag: 'wx' });
    }
    const lacks = exists && atRepositoryRoot ? await listMissingEnvironments(file, text, answers.environments) : [];
    files.push({ path: relative(root, file), text, lacks, state: exists ? 'exists' : 'written' });
  }
  return { files: files.map(({ path, state }) => ({ path, state })), left: listLeft(answers, files) };
}

interface InitializedFile {
  readonly path: string;
  readonly text: string;
  readonly state: 'written' | 'exists';
  /** The environments that a file which was there does not have. */
  readonly lacks: readonly string[];
}

export function findRepositoryRoot(root: string, project: string): string {
  return project === '' ? root : join(root, ...project.split('/').map(() => '..'));
}

/** The project's folder in its Git repository, with `/`; empty: it is the repository, or there is none. */
export async function findProjectInRepository(root: string): Promise<string> {
  const ran = await runGit(root, ['rev-parse', '--show-prefix']).catch(() => undefined);
  return ran?.code === 0 ? ran.stdout.trim().replace(/\/$/, '') : '';
}

async function listMissingEnvironments(file: string, planned: string, environments: readonly string[]) {
  const words = (text: string) => new Set(text.split(/[^a-z0-9-]+/));
  const [wanted, there] = [words(planned), words((await readText(file)) ?? '')];
  return environments.filter((name) => wanted.has(name) && !there.has(name));
}

function listLeft(answers: InitAnswers, files: readonly InitializedFile[]): readonly string[] {
  const { endpoint, environments, cloud, release } = answers;
  const written = files.filter((f) => f.state === 'written');
  const paths = (accepts: (file: InitializedFile) => boolean) => written.filter(accepts).map((f) => f.path);
  const left: string[] = [];
  if (endpoint && paths((f) => f.path === join('endpoints', `${endpoint.name}.yaml`)).length > 0)
    left.push(
      `npx davit lock ${endpoint.name} && npx davit up ${endpoint.name}   proves the model and serves it on this machine`,
    );
  const settings = paths((f) => environments.some((name) => f.path === join('environments', `${name}.yaml`)));
  if (answers.registry === PLACEHOLDERS.registry && settings.length > 0)
    left.push(`Replace ${PLACEHOLDERS.registry} in ${settings.join(', ')} by the registry of your images`);
  if (settings.length > 0)
    left.push(`Replace the digests of the images in ${settings.join(', ')}, then run npx davit check`);
  const stateful = paths((f) => f.text.includes(PLACEHOLDERS.state));
  if (answers.state === PLACEHOLDERS.state && stateful.length > 0)
    left.push(`Replace ${PLACEHOLDERS.state} in ${stateful.join(', ')} by the bucket of the state`);
  const replace = CLOUD_PLACEHOLDERS[cloud];
  const action = paths((f) => f.path.endsWith(join('davit-credentials', 'action.yml')));
  if (replace !== undefined && action.length > 0) left.push(`Replace ${replace} in ${action.join(', ')}`);
  const workflows = paths((f) => f.text.includes(DOCUMENTED_DIGEST) && f.path.includes('workflows'));
  if (release === undefined && workflows.length > 0)
    left.push(
      `Replace OWNER/davit@000… in ${dirname(workflows[0] ?? '')}/ by the repository of Davit and the commit of its release (--davit OWNER/davit@COMMIT)`,
    );
  if (answers.enterpriseServer && workflows.length > 0)
    left.push(
      'Mirror the repository of Davit to your server, with the commit of the release, and update the actions that the workflows name',
    );
  const lacking = files.filter((f) => f.lacks.length > 0);
  return [...left, ...lacking.map((f) => `Add ${f.lacks.join(', ')} to ${f.path}, which exists without it`)];
}

/** The branch that `origin` has by default, else the current one, else main. */
export async function findDefaultBranch(folder: string): Promise<string> {
  const remote = await runGit(folder, ['symbolic-ref', '--short', 'refs/remotes/origin/HEAD']).catch(() => undefined);
  if (remote?.code === 0) return remote.stdout.trim().replace(/^origin\//, '');
  const own = await runGit(folder, ['symbolic-ref', '--short', 'HEAD']).catch(() => undefined);
  return own?.code === 0 && own.stdout.trim() !== '' ? own.stdout.trim() : 'main';
}

/** Lines for people: what is set, what is missing, what could not be checked. */
export function renderSettings(settings: readonly GithubSetting[]): string {
  const signs = { done: '[x]', missing: '[ ]', unknown: '[?]' } as const;
  return settings
    .map(
      ({ what, link, state, found }) =>
        `${signs[state]} ${what}${found === undefined ? '' : `: ${found}`}\n    ${link}`,
    )
    .join('\n');
}
