import { dirname, join } from 'node:path';
import { CLOUD_PLACEHOLDERS } from './credentials.ts';
import { DOCUMENTED_DIGEST } from './documented-files.ts';
import { type InitAnswers, PLACEHOLDERS, ZERO_DIGEST } from './plan-files.ts';

/** One file of a project that `davit init` makes. */
export interface ProjectFile {
  /** Relative to the project. */
  readonly path: string;
  /** Its text as it is now. */
  readonly text: string;
  /** Whether this run wrote it. */
  readonly state: 'written' | 'exists';
  /** The environments that a file which was there does not have. */
  readonly lacks: readonly string[];
}

/** Lists what is left to do: placeholders in the files, whoever wrote them, and the next steps after new ones. Pure. */
export function listLeft(answers: InitAnswers, files: readonly ProjectFile[]): readonly string[] {
  const lacking = files.filter((f) => f.lacks.length > 0);
  return [
    ...listLocalSteps(answers, files),
    ...listPlaceholders(files),
    ...lacking.map((f) => `Add ${f.lacks.join(', ')} to ${f.path}, which exists without it`),
    ...listSharedSteps(answers, files),
  ];
}

function isWritten(files: readonly ProjectFile[], path: string): boolean {
  return files.some((f) => f.path === path && f.state === 'written');
}

function listLocalSteps({ endpoint }: InitAnswers, files: readonly ProjectFile[]): readonly string[] {
  if (!endpoint || !isWritten(files, join('endpoints', `${endpoint.name}.yaml`))) return [];
  const { name } = endpoint;
  return [`npx davit lock ${name} && npx davit up ${name}   proves the model and serves it on this machine`];
}

function listPlaceholders(files: readonly ProjectFile[]): readonly string[] {
  const paths = (accepts: (file: ProjectFile) => boolean) => files.filter(accepts).map((f) => f.path);
  const isEnvironment = (f: ProjectFile) => dirname(f.path) === 'environments';
  const left: string[] = [];
  const registry = paths((f) => isEnvironment(f) && f.text.includes(PLACEHOLDERS.registry));
  if (registry.length > 0)
    left.push(`Replace ${PLACEHOLDERS.registry} in ${registry.join(', ')} by the registry of your images`);
  const digests = paths((f) => isEnvironment(f) && f.text.includes(ZERO_DIGEST));
  if (digests.length > 0)
    left.push(`Replace the digests of the images in ${digests.join(', ')}, then run npx davit check`);
  const state = paths((f) => f.text.includes(PLACEHOLDERS.state));
  if (state.length > 0) left.push(`Replace ${PLACEHOLDERS.state} in ${state.join(', ')} by the bucket of the state`);
  for (const { marker, replace } of CLOUD_PLACEHOLDERS) {
    const action = paths((f) => f.text.includes(marker));
    if (action.length > 0) left.push(`Replace ${replace} in ${action.join(', ')}`);
  }
  const [workflow] = paths((f) => f.path.includes('workflows') && f.text.includes(`@${DOCUMENTED_DIGEST}`));
  if (workflow !== undefined)
    left.push(
      `Replace OWNER/davit@000… in ${dirname(workflow)}/ by the repository of Davit and the commit of its release (--davit OWNER/davit@COMMIT)`,
    );
  return left;
}

/** What makes new environments and workflows work. Nothing in the files says later whether it is done. */
function listSharedSteps(
  { environments, branch, enterpriseServer }: InitAnswers,
  files: readonly ProjectFile[],
): readonly string[] {
  const made = environments.filter((name) => isWritten(files, join('environments', `${name}.yaml`)));
  const platforms = made.map((name) => `npx davit up _platform --env ${name}`).join(' && ');
  const workflows = files.some((f) => f.path.includes('workflows') && f.state === 'written');
  return [
    ...(platforms === '' ? [] : [`${platforms}   once: what all endpoints of a cluster share`]),
    ...(workflows && enterpriseServer
      ? [
          'Mirror the repository of Davit to your server, with the commit of the release, and update the actions that the workflows name',
        ]
      : []),
    ...(workflows
      ? [
          `Push everything except endpoints/ to ${branch}, then add endpoints by a pull request: what is pushed without one is not deployed`,
        ]
      : []),
  ];
}
