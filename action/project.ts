import { createHash } from 'node:crypto';
import { readdir, realpath, rm } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import { setOutput } from '@actions/core';
import type { Job } from './job.ts';
import { readStageReport } from './stage-folder.ts';

/** GitHub takes a mebibyte for a step's summary, and a character may be four bytes. */
export const SUMMARY_CHARACTERS = 250_000;

/** The project's folder in the checkout; absolute. Throws when it leads out of it. */
export async function findProject({ inputs, runner }: Job): Promise<string> {
  return findInside(runner.workspace, inputs.project);
}

/** A folder below another one, whichever links somebody has put in between. Throws when it is not there, or elsewhere. */
export async function findInside(folder: string, below: string): Promise<string> {
  const [outer, inner] = await Promise.all([real(folder), real(resolve(folder, below))]);
  if (outer !== undefined && inner !== undefined && (inner === outer || inner.startsWith(outer + sep)))
    return resolve(folder, below);
  const why = inner === undefined ? 'there is no such folder' : 'a link leads out of the checkout';
  throw new Error(`Cannot find the project in "${join(folder, below)}": ${why}, expected a checkout in a step before`);
}

async function real(path: string): Promise<string | undefined> {
  return realpath(path).catch(() => undefined);
}

/** The environments asked for; where none is, all that there are. */
export async function listEnvironments({ inputs }: Job, root: string): Promise<readonly string[]> {
  if (inputs.environments.length > 0) return inputs.environments;
  const files = await readdir(join(root, 'environments')).catch(() => []);
  return files.flatMap((file) => /^([A-Za-z0-9][A-Za-z0-9_-]{0,62})\.yaml$/.exec(file)?.[1] ?? []).sort();
}

/** What a pull request is compared with; elsewhere Git has to know. */
export function baseOf({ inputs, runner }: Job): string | undefined {
  return inputs.base ?? runner.event.pull_request?.base.sha;
}

/** `models/` when the project is that folder of the repository. */
export function projectPrefix({ inputs }: Job): string {
  const folder = join('/', inputs.project).slice(1);
  return folder === '' || folder.endsWith('/') ? folder : `${folder}/`;
}

/**
 * Makes a stage's report in its folder. The folder is an output of the step before anything can fail; the digest of the
 * report is one whenever there is a report, whole or cut short: the runner hands it on past everybody who can write files.
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

/** Names the folder for a command's report and clears it of an older one. */
export async function openReportFolder({ inputs, runner }: Job): Promise<string> {
  const folder =
    inputs.out === undefined
      ? join(runner.temporary, `davit-${inputs.command}`)
      : resolve(runner.workspace, inputs.out);
  for (const ours of ['report.json', 'report.md', 'locks'])
    await rm(join(folder, ours), { recursive: true, force: true });
  setOutput('folder', folder);
  return folder;
}
