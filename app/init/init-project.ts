import { existsSync, lstatSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { listEnvironments, readText } from '../../schemas/read-project.ts';
import { readDocumentedFiles } from './documented-files.ts';
import { adaptToEnterpriseServer } from './enterprise-server.ts';
import type { GithubSetting } from './github-settings.ts';
import { listLeft, type ProjectFile } from './list-left.ts';
import { type InitAnswers, type PlannedFile, planFiles, workflowPath } from './plan-files.ts';
import { findRepositoryRoot } from './repository-folders.ts';

export interface InitializedProject {
  readonly files: readonly { readonly path: string; readonly state: 'written' | 'exists' }[];
  /** What is left to do, in the order of the work. */
  readonly left: readonly string[];
}

/** Writes the files that do not exist yet. A file that exists is never changed. */
export async function initProject(root: string, answers: InitAnswers): Promise<InitializedProject> {
  const documented = await readDocumentedFiles();
  const planned = planFiles(answers, answers.enterpriseServer ? await adaptToEnterpriseServer(documented) : documented);
  const repository = findRepositoryRoot(root, answers.project);
  const ignored = await planIgnoredModules(root, repository);
  const files: ProjectFile[] = [];
  for (const { path, text, atRepositoryRoot } of [...planned, ...ignored]) {
    const file = join(atRepositoryRoot ? repository : root, path);
    const exists = lstatSync(file, { throwIfNoEntry: false }) !== undefined; // also a link that leads nowhere
    if (!exists) {
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, text, { flag: 'wx' });
    }
    const own = exists ? ((await readText(file)) ?? '') : text;
    const lacks = exists && atRepositoryRoot ? listMissingEnvironments(own, text, answers.environments) : [];
    files.push({ path: relative(root, file), text: own, lacks, state: exists ? 'exists' : 'written' });
  }
  const others = await readOtherFiles(root, repository, { project: answers.project, known: files.map((f) => f.path) });
  return { files: files.map(({ path, state }) => ({ path, state })), left: listLeft(answers, [...files, ...others]) };
}

/** A first commit with node_modules/ would have thousands of files. An existing .gitignore stays as it is. */
async function planIgnoredModules(root: string, repository: string): Promise<readonly PlannedFile[]> {
  const folders = [...new Set([root, repository])];
  if (!folders.some((folder) => existsSync(join(folder, 'node_modules')))) return [];
  const texts = await Promise.all(folders.map((folder) => readText(join(folder, '.gitignore'))));
  if (texts.some((text) => text !== undefined)) return [];
  return [{ path: '.gitignore', text: 'node_modules/\n', atRepositoryRoot: true }];
}

/** The files of an earlier run that this one does not plan, because their answers were not repeated. */
async function readOtherFiles(
  root: string,
  repository: string,
  { project, known }: { readonly project: string; readonly known: readonly string[] },
): Promise<readonly ProjectFile[]> {
  const environments = await listEnvironments({ root });
  const documented = [...(await readDocumentedFiles()).keys()].filter((path) => path.startsWith('.github/'));
  const paths = [
    ...environments.map((name) => join('environments', `${name}.yaml`)),
    ...documented.map((path) => relative(root, join(repository, workflowPath(path, project)))),
  ];
  const others = paths.filter((path) => !known.includes(path));
  const texts = await Promise.all(others.map((path) => readText(join(root, path))));
  return others.flatMap((path, i) => {
    const text = texts[i];
    return text === undefined ? [] : [{ path, text, lacks: [], state: 'exists' as const }];
  });
}

function listMissingEnvironments(found: string, planned: string, environments: readonly string[]): readonly string[] {
  const words = (text: string) => new Set(text.split(/[^a-z0-9-]+/));
  const [wanted, there] = [words(planned), words(found)];
  return environments.filter((name) => wanted.has(name) && !there.has(name));
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
