import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setOutput } from '@actions/core';
import type { Context } from '../cli/command.ts';
import type { Job } from './job.ts';
import { LOG } from './log.ts';

/** What a verb of the command line gets when the action calls it: the same as from a person who types it in the project. */
export function makeContext({ inputs, runner, signal }: Job): Context {
  const root = resolve(runner.workspace, inputs.project);
  return { args: inputs.endpoints, options: {}, root, cwd: root, progress: LOG, signal };
}

/** Names the folder for a command's report and clears it of an older one; an output of the step before anything can fail. */
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
