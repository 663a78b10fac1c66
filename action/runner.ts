import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { tmpdir } from 'node:os';
import { z } from 'zod';

/** The environment of the action: the variables of GitHub's runner, and the event. */
export interface Runner {
  /** The checkout; absolute. */
  readonly workspace: string;
  /** Emptied before and after each job. */
  readonly temporary: string;
  /** `pull_request` */
  readonly eventName: string;
  readonly event: RunnerEvent;
  /** `octocat/models` */
  readonly repository: string;
  /** Who has started the run first. */
  readonly actor: string;
  /** `https://api.github.com` */
  readonly apiUrl: string;
  /** The page of the workflow run. */
  readonly runUrl: string;
  readonly runId: number;
  readonly runAttempt: number;
  /** The key of the job in the workflow. */
  readonly job: string;
  /** Where GitHub shows Davit's files at the version that the workflow names. Undefined: not known. */
  readonly filesUrl: string | undefined;
  /** The commit of the running release, if the workflow names one. */
  readonly actionCommit: string | undefined;
  /** The commit of the event. */
  readonly sha: string;
  /** `refs/heads/main` */
  readonly ref: string;
}

const sha = z.string().regex(/^[0-9a-f]{40,64}$/);
const repository = z.object({ full_name: z.string(), default_branch: z.string().optional() });

const mergeGroup = z.object({
  /** The commit that would become the head of the branch. */
  head_sha: sha,
  /** `refs/heads/gh-readonly-queue/main/pr-7-0a1b…` */
  head_ref: z.string(),
  /** The commit before the group: of the branch, or of the group in front. */
  base_sha: sha,
  /** `refs/heads/main` */
  base_ref: z.string(),
});
/** Pull requests that a merge queue would merge together. */
export type MergeGroup = z.infer<typeof mergeGroup>;

const event = z.object({
  action: z.string().optional(),
  /** Only for `pull_request`. */
  pull_request: z
    .object({
      number: z.int().positive(),
      base: z.object({ sha }),
      /** `repo` is null when the fork is deleted. */
      head: z.object({ sha, repo: z.object({ full_name: z.string() }).nullable().optional() }),
    })
    .optional(),
  /** Only for `workflow_run`: the run that has ended. A fork is in `head_repository`. */
  workflow_run: z
    .object({
      event: z.string(),
      head_sha: sha,
      head_branch: z.string(),
      head_repository: z.object({ owner: z.object({ login: z.string() }) }),
      html_url: z.string(),
      /** Who started it first, also if somebody else has started it again. */
      actor: z.object({ login: z.string() }).optional(),
    })
    .optional(),
  /** Only for `merge_group`. */
  merge_group: mergeGroup.optional(),
  repository: repository.optional(),
  /** Only for `push`: the branch's commit before it; zeros: the push has made the branch. */
  before: z.string().optional(),
});

/** The parts of an event that are used here. GitHub made them, but not the texts in them. */
export type RunnerEvent = z.infer<typeof event>;

/** Reads the runner's environment. Throws when this is not a runner. */
export function readRunner(variables: NodeJS.ProcessEnv = process.env): Runner {
  const said = (name: string) => {
    const value = variables[name];
    if (!value)
      throw new Error(`Cannot run outside GitHub Actions: ${name} is not set, expected a runner's environment`);
    return value;
  };
  const workspace = resolve(said('GITHUB_WORKSPACE'));
  const [name, runId] = [said('GITHUB_REPOSITORY'), said('GITHUB_RUN_ID')];
  const server = variables['GITHUB_SERVER_URL'] || 'https://github.com';
  const [action, version] = [variables['GITHUB_ACTION_REPOSITORY'], variables['GITHUB_ACTION_REF']];
  return {
    workspace,
    temporary: resolve(variables['RUNNER_TEMP'] || join(tmpdir(), 'davit-runner')),
    eventName: said('GITHUB_EVENT_NAME'),
    event: readEvent(said('GITHUB_EVENT_PATH')),
    repository: name,
    actor: variables['GITHUB_ACTOR'] ?? '',
    apiUrl: variables['GITHUB_API_URL'] || 'https://api.github.com',
    runUrl: `${server}/${name}/actions/runs/${runId}`,
    filesUrl: action && version ? `${server}/${action}/blob/${version}` : undefined,
    runId: Number(runId),
    runAttempt: Number(variables['GITHUB_RUN_ATTEMPT'] || '1'),
    job: variables['GITHUB_JOB'] || 'davit',
    actionCommit: sha.safeParse(variables['GITHUB_ACTION_REF']).data,
    sha: variables['GITHUB_SHA'] ?? '',
    ref: variables['GITHUB_REF'] ?? '',
  };
}

function readEvent(file: string): RunnerEvent {
  try {
    return event.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (e) {
    throw new Error(`Cannot read the event in ${file}: it is not one of GitHub's`, { cause: e });
  }
}

export const DEPENDABOT = 'dependabot[bot]';

/** Whether the code is a fork's or Dependabot's: GitHub gives the run no secret, and nobody who may push has pushed it. */
export function isRestrictedRun({
  event,
  repository: own,
  actor,
}: Pick<Runner, 'event' | 'repository' | 'actor'>): boolean {
  const { pull_request: pull } = event;
  const head = pull?.head.repo?.full_name;
  return pull !== undefined && (head?.toLowerCase() !== own.toLowerCase() || actor === DEPENDABOT);
}

/** From here on no child process inherits the tokens of the runner or the job. */
export function deleteRunnerVariables(variables: NodeJS.ProcessEnv = process.env): void {
  for (const name of Object.keys(variables).filter((n) => /^(?:INPUT_|ACTIONS_|GITHUB_TOKEN$)/.test(n)))
    Reflect.deleteProperty(variables, name);
}
