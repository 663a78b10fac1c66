import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { findFolderInside } from '../../action/job-project.ts';
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
