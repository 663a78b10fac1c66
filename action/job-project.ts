import { createHash } from 'node:crypto';
import { realpath, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setOutput } from '@actions/core';
import { listEndpoints, listEnvironments } from '../schemas/read-project.ts';
import { findTrackedDavitFiles } from '../system/davit-folder.ts';
import { runGit } from '../system/git/run-git.ts';
import { isBelow } from '../system/is-below.ts';
import type { Job } from './job.ts';
import { LOG } from './log.ts';
import { readStageReport } from './read-stage-report.ts';

/** GitHub's limit for a step's summary is one mebibyte, and a character may take four bytes. */
export const SUMMARY_CHARACTERS = 250_000;

/** The project's folder in the checkout; absolute. Throws as `findFolderInside` does. */
export async function findProject({ inputs, runner }: Job): Promise<string> {
  return findFolderInside(runner.workspace, inputs.project);
}

/**
 * A project's folder in a checkout, with links resolved. Throws when it is missing, leads elsewhere, or has files below
 * `.davit/` that Git tracks.
 */
export async function findFolderInside(folder: string, below: string): Promise<string> {
  const [outer, inner] = await Promise.all([real(folder), real(resolve(folder, below))]);
  if (outer !== undefined && inner !== undefined && (inner === outer || isBelow(inner, outer))) {
    const tracked = await findTrackedDavitFiles(inner);
    if (tracked !== undefined) throw new Error(tracked);
    return resolve(folder, below);
  }
  const why = inner === undefined ? 'there is no such folder' : 'a link leads out of the checkout';
  throw new Error(
    `Cannot find the project in "${join(folder, below)}": ${why}, expected a checkout in an earlier step`,
  );
}

async function real(path: string): Promise<string | undefined> {
  return realpath(path).catch(() => undefined);
}

/** A pull request can name a file in any way. */
const ENVIRONMENT_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/;

/** The requested environments; if none are named, all environments of the project. */
export async function listRequestedEnvironments({ inputs }: Job, root: string): Promise<readonly string[]> {
  if (inputs.environments.length > 0) return inputs.environments;
  return (await listEnvironments({ root })).filter((name) => ENVIRONMENT_NAME.test(name));
}

/** The base to compare a pull request with; undefined: Git has to find it. */
function findBase({ inputs, runner }: Job): string | undefined {
  return inputs.base ?? runner.event.pull_request?.base.sha;
}

/** The endpoints of a run: those that changed since a base, or those with a name. */
interface Scope {
  readonly base: string | undefined;
  /** Empty: those that changed. */
  readonly names: readonly string[];
}

/**
 * The scope of a run in the project at `root`. A push that makes a branch has no commit before it, and one that is
 * forced may have removed that commit from the history. Such a push is about all endpoints.
 */
export async function findScope(job: Job, root: string): Promise<Scope> {
  const { inputs, runner, signal } = job;
  const base = findBase(job);
  const pushed = base !== undefined && (NO_COMMIT.test(base) || base === runner.event.before);
  if (!pushed || (await isCommit(root, base, signal))) return { base, names: inputs.endpoints };
  if (inputs.endpoints.length > 0) return { base: 'HEAD', names: inputs.endpoints };
  LOG.say('The history does not contain the commit before this push: all endpoints count as changed');
  return { base: 'HEAD', names: await listEndpoints({ root, endpoints: 'endpoints' }) };
}

/** GitHub's name for no commit. */
const NO_COMMIT = /^0+$/;

async function isCommit(root: string, commit: string, signal: AbortSignal): Promise<boolean> {
  return (
    (await runGit(root, ['rev-parse', '--verify', '--quiet', '--end-of-options', `${commit}^{commit}`], { signal }))
      .code === 0
  );
}

/** `models/` if the project is that folder of the repository. */
export function makeProjectPrefix({ inputs }: Job): string {
  const folder = join('/', inputs.project).slice(1);
  return folder === '' || folder.endsWith('/') ? folder : `${folder}/`;
}

/**
 * Makes a stage's report in its folder. The folder becomes an output before anything can fail. The digest becomes an
 * output whenever a report exists, complete or not. The runner passes outputs on, so that no model that can write files
 * can change the digest.
 */
export async function withReportFolder<T>(job: Job, work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await openReportFolder(job);
  try {
    return await work(folder);
  } finally {
    const text = await readStageReport(folder);
    if (text) setOutput('digest', digestReport(text));
  }
}

/** SHA-256 of a report's text, in hex. */
export function digestReport(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Sets the folder of a command's report as an output, and removes an older report from it. */
export async function openReportFolder({ inputs, runner }: Job): Promise<string> {
  const folder =
    inputs.out === undefined
      ? join(runner.temporary, `davit-${inputs.command}`)
      : resolve(runner.workspace, inputs.out);
  for (const ours of ['report.json', 'report.md', 'locks', 'sboms'])
    await rm(join(folder, ours), { recursive: true, force: true });
  setOutput('folder', folder);
  return folder;
}
