import { type ChangedEndpoint, findChangedEndpoints } from '../review/changed-endpoints.ts';
import { type Diagnostic, makeError } from '../schemas/diagnostic.ts';
import type { Endpoint } from '../schemas/endpoint/endpoint.ts';
import { parseEndpoint } from '../schemas/endpoint/parse-endpoint.ts';
import type { ChangedPath } from '../schemas/report/report.ts';
import { locateModel } from '../system/locate-model.ts';
import { compareWithBranch } from './github/compare.ts';
import type { GitHub } from './github/connect.ts';
import { readFolder, readObjectIds } from './github/objects.ts';
import type { ReviewedPullRequest } from './reviewed-pull-request.ts';

/**
 * The endpoints that a pull request or a merge queue changes. GitHub alone says so, not the run that reports on them.
 */
export interface GitHubChanges {
  readonly endpoints: readonly ChangedEndpoint[];
  /** Whether GitHub lists all changed files. */
  readonly complete: boolean;
  /** Errors about files that no repository may have. */
  readonly refused: readonly Diagnostic[];
}

/** Stands for the folder of the project, which is not checked out. */
const ROOT = '/project';
const ENVIRONMENT_FILE = /^environments\/([^/]+)\.yaml$/s;

/** What `head` has and `base`, a branch or a commit, has not. `environments`: those under review; none: all. */
export async function findChangesOnGitHub(
  github: GitHub,
  { base, head }: { readonly base: string; readonly head: string },
  environments: readonly string[],
): Promise<GitHubChanges> {
  const { project } = github;
  const compared = await compareWithBranch(github, base, head);
  const paths = compared.paths.flatMap(({ path, change }) =>
    path.startsWith(project) ? [{ path: path.slice(project.length), change }] : [],
  );
  if (paths.length === 0) return { endpoints: [], complete: compared.complete, refused: [] };
  const all = paths.flatMap(({ path }) => ENVIRONMENT_FILE.exec(path)?.[1] ?? []);
  const files = await readFolder(github, head, `${project}endpoints`);
  const endpoints = findChangedEndpoints(paths, {
    root: ROOT,
    names: [...files.keys()].flatMap((file) => /^(.+)\.yaml$/s.exec(file)?.[1] ?? []),
    endpoints: [...files].flatMap(([file, text]) => parseDeclaration(file, text)),
    environments: environments.length > 0 ? environments : all,
  });
  return { endpoints, complete: compared.complete, refused: refuseDavitFiles(paths) };
}

/** Davit trusts what it finds below `.davit/`, so a pull request must not bring any of it. */
function refuseDavitFiles(paths: readonly ChangedPath[]): readonly Diagnostic[] {
  const [first, ...more] = paths.filter(({ path, change }) => change !== 'deleted' && /^\.davit(?:\/|$)/.test(path));
  if (!first) return [];
  const others = more.length === 0 ? '' : ` and ${more.length} more`;
  return [
    makeError(
      'unreadable-file',
      { file: first.path, line: 1, column: 1 },
      `Cannot accept ${first.path}${others}: a repository must not contain .davit/, which Davit makes on each machine`,
      'Remove it from the branch: git rm -r --cached .davit',
    ),
  ];
}

/**
 * The changes that a run did not report on, although the merge would bring them: what the base branch has in the same
 * form already, such as a change that was merged by another pull request, is left out.
 */
export async function findUnreported(
  github: GitHub,
  { pull, head }: Pick<ReviewedPullRequest, 'pull' | 'head'>,
  { changed, reported }: { readonly changed: readonly ChangedEndpoint[]; readonly reported: ReadonlySet<string> },
): Promise<readonly ChangedEndpoint[]> {
  const missing = changed.filter((c) => !reported.has(c.endpoint));
  const paths = [...new Set(missing.flatMap((c) => c.because.map((b) => github.project + b.path)))];
  const sides = [pull.base.branch, head] as const;
  const ids = await readObjectIds(github, paths.flatMap((path) => sides.map((side) => `${side}:${path}`))); // prettier-ignore
  const isSame = (path: string) => ids.get(`${sides[0]}:${path}`) === ids.get(`${sides[1]}:${path}`);
  return missing.filter((c) => c.because.some((b) => !isSame(github.project + b.path)));
}

/** A file with errors, or with a model that is nowhere, changes no endpoint but its own. */
function parseDeclaration(file: string, text: string): readonly Endpoint[] {
  const { endpoint } = parseEndpoint(text, `endpoints/${file}`);
  try {
    endpoint?.entities.forEach(({ model }) => locateModel(ROOT, model));
    return endpoint ? [endpoint] : [];
  } catch {
    return [];
  }
}
