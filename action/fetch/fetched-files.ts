import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import type { FetchedFolder } from '../../app/review/fetched.ts';
import { takeOverEntries } from '../../app/review/take-over-entries.ts';
import { cacheFolder } from '../../system/cache.ts';
import { runProcess } from '../../system/run-process.ts';
import type { Job } from '../job.ts';
import { LOG } from '../log.ts';
import { hasReport } from '../read-stage-report.ts';

/** Files of the cache at their place. An archive keeps links and rights, which artifacts lose. */
const ARCHIVE = 'files.tar';
const LIMIT_SECONDS = 1800;

/** Writes files and folders of the cache into an archive for the job that validates. */
export async function packFetched(folder: string, files: readonly string[], { signal }: Job): Promise<void> {
  const names = files.map((file) => `${relative(cacheFolder(), file)}\0`).join('');
  const from = ['--directory', cacheFolder(), '--null', '--verbatim-files-from', '--files-from', '-'];
  await runTar(['--create', '--file', join(folder, ARCHIVE), ...from], { input: names, signal });
}

/** Puts what the job `fetch` has handed over into the cache. Undefined: the workflow has no such job. */
export async function unpackFetched(job: Job): Promise<FetchedFolder | undefined> {
  const { inputs, runner, signal } = job;
  if (inputs.results.fetch === undefined) return undefined;
  if (inputs.results.fetch === 'skipped') return 'withheld';
  const folder = resolve(runner.workspace, inputs.fetched);
  if (!(await hasReport(folder))) return { missing: explainMissing(inputs.results.fetch) };
  const archive = join(folder, ARCHIVE);
  if (await stat(archive).catch(() => undefined)) await takeOver(archive, signal);
  return { folder };
}

/** A run of the failed jobs alone does not start a job that has succeeded. */
function explainMissing(result: string): string {
  return result === 'success'
    ? 'the files of the job "fetch" were deleted, because they are kept for one day: re-run all jobs'
    : `the job "fetch" ended with "${result}" and has left no report; see its log`;
}

/** Unpacks beside the cache's folders, so that no process reads an entry before it is complete. */
async function takeOver(archive: string, signal: AbortSignal): Promise<void> {
  await mkdir(cacheFolder(), { recursive: true });
  const unpacked = await mkdtemp(cacheFolder('handed-over-'));
  try {
    await runTar(['--extract', '--preserve-permissions', '--no-same-owner', '--file', archive, '--directory', unpacked], { signal }); // prettier-ignore
    await takeOverEntries(unpacked, { progress: LOG, signal });
  } finally {
    await rm(unpacked, { recursive: true, force: true });
  }
}

/** With no variable of this process but the PATH, because there may be credentials among them. */
async function runTar(
  args: readonly string[],
  options: { readonly input?: string; readonly signal: AbortSignal },
): Promise<void> {
  const env = { PATH: process.env['PATH'] ?? '' };
  const { code, stderr } = await runProcess('tar', args, { ...options, env, limitSeconds: LIMIT_SECONDS });
  if (code !== 0) throw new Error(`Cannot hand over the fetched files: tar reports "${stderr.trim().slice(0, 300)}"`);
}
