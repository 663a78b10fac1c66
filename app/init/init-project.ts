import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { runGit } from '../../system/run-git.ts';
import { CLOUD_PLACEHOLDERS } from './credentials.ts';
import { DOCUMENTED_CREDENTIALS, readDocumentedFiles } from './documented-files.ts';
import type { GithubSetting } from './github-settings.ts';
import { type InitAnswers, planFiles } from './plan-files.ts';

export interface InitializedProject {
  readonly files: readonly { readonly path: string; readonly state: 'written' | 'exists' }[];
  /** What is left to do in the files themselves. */
  readonly left: readonly string[];
}

/** Writes the files that are not there yet. A file that exists is never changed. */
export async function initProject(root: string, answers: InitAnswers): Promise<InitializedProject> {
  const planned = planFiles(answers, await readDocumentedFiles());
  const files = [];
  for (const { path, text } of planned) {
    const file = join(root, path);
    const exists = existsSync(file);
    if (!exists) {
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, text, { flag: 'wx' });
    }
    files.push({ path, state: exists ? ('exists' as const) : ('written' as const) });
  }
  const written = new Set(files.filter((f) => f.state === 'written').map((f) => f.path));
  return { files, left: listLeft(answers, written) };
}

function listLeft(
  { endpoint, environments, cloud, release }: InitAnswers,
  written: ReadonlySet<string>,
): readonly string[] {
  const left: string[] = [];
  if (endpoint && written.has(`endpoints/${endpoint.name}.yaml`))
    left.push(
      `npx davit lock ${endpoint.name} && npx davit up ${endpoint.name}   proves the model and serves it on this machine`,
    );
  const settings = environments.map((name) => `environments/${name}.yaml`).filter((path) => written.has(path));
  if (settings.length > 0)
    left.push(`Replace the digests of the images in ${settings.join(', ')}, then run npx davit check`);
  const replace = CLOUD_PLACEHOLDERS[cloud];
  if (replace !== undefined && written.has(DOCUMENTED_CREDENTIALS))
    left.push(`Replace ${replace} in ${DOCUMENTED_CREDENTIALS}`);
  const workflows = [...written].some((path) => path.startsWith('.github/workflows/'));
  if (workflows && release === undefined)
    left.push(
      'Replace OWNER/davit@000… in .github/workflows/ by the repository of Davit and the commit of its release (--davit OWNER/davit@COMMIT)',
    );
  return left;
}

/** The branch that `origin` has by default, else the current one, else main. */
export async function findDefaultBranch(folder: string): Promise<string> {
  const remote = await runGit(folder, ['symbolic-ref', '--short', 'refs/remotes/origin/HEAD']).catch(() => undefined);
  if (remote?.code === 0) return remote.stdout.trim().replace(/^origin\//, '');
  const own = await runGit(folder, ['symbolic-ref', '--short', 'HEAD']).catch(() => undefined);
  return own?.code === 0 && own.stdout.trim() !== '' ? own.stdout.trim() : 'main';
}

/** Lines for people: what is set, what is missing, what could not be looked at. */
export function renderSettings(settings: readonly GithubSetting[]): string {
  const signs = { done: '[x]', missing: '[ ]', unknown: '[?]' } as const;
  return settings
    .map(
      ({ what, link, state, found }) =>
        `${signs[state]} ${what}${found === undefined ? '' : `: ${found}`}\n    ${link}`,
    )
    .join('\n');
}
