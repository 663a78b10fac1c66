import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { findFolderInside, listRequestedEnvironments } from '../../action/job-project.ts';
import type { Job } from '../../action/job.ts';
import { makeWorkspace, writeFiles } from './run-action.ts';

it('refuses a project with files below .davit/ that came out of the repository', async () => {
  const workspace = makeWorkspace({ 'teams/fraud/endpoints/iris.yaml': 'name: iris\n' });
  writeFiles(workspace, { 'teams/fraud/.davit/passphrase': 'made here', '.davit/passphrase': 'x' });
  execFileSync('git', ['-C', workspace, 'add', '--force', '.davit']);
  expect(await findFolderInside(workspace, 'teams/fraud')).toBe(`${workspace}/teams/fraud`);
  await expect(findFolderInside(workspace, '.')).rejects.toThrow(
    'Cannot use .davit/: Git tracks .davit/passphrase there, expected only files that Davit makes on this machine',
  );
});

it('reads only those environments of a pull request that have a plain name', async () => {
  const names = ['prod', 'a_b-1', '--force', '.hidden', 'a b', '::error::x', 'a\nb', 'x'.repeat(64)];
  const workspace = makeWorkspace(Object.fromEntries(names.map((name) => [`environments/${name}.yaml`, ''])));
  const job = { inputs: { environments: [] as readonly string[] } } as Job;
  expect(await listRequestedEnvironments(job, workspace)).toEqual(['a_b-1', 'prod']);
});
