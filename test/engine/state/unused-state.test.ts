import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, realpath, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { prepareEngineProject } from '../../../engine/engine-project.ts';
import type { PulumiProject } from '../../../engine/pulumi-project.ts';
import { makePulumiEnvironment } from '../../../engine/pulumi-environment.ts';
import { ensureStack, listStacks, removeStackHistory } from '../../../engine/stacks.ts';
import { removeUnusedState } from '../../../engine/state/remove-unused-state.ts';
import { refreshUsers } from '../../../engine/state/state-users.ts';
import { withFileLock } from '../../../system/locks/file-lock.ts';
import { SILENT } from '../../../system/progress.ts';
import { identifyProcess, type ProcessIdentity, renderIdentity } from '../../../system/process-identity.ts';

const GONE = { ...identifyProcess(), pid: 999_999_999 };

beforeEach(() => {
  for (const name of ['PULUMI_BACKEND_URL', 'PULUMI_ACCESS_TOKEN']) vi.stubEnv(name, '');
  for (const name of ['PULUMI_CONFIG_PASSPHRASE', 'PULUMI_CONFIG_PASSPHRASE_FILE']) vi.stubEnv(name, undefined);
  return () => vi.unstubAllEnvs();
});

test('removeUnusedState() removes everything when no stack is left', async () => {
  const { root, project, remove } = await makeProject();
  expect(existsSync(join(root, '.davit', 'passphrase'))).toBe(true);
  await ensureStack(project, 'iris.local');
  expect(await remove()).toEqual([]);
  expect(await listStacks(project)).toEqual(['iris.local']);
  await rm(stateFile(project, 'iris.local'));
  expect(await remove()).toEqual([]);
  expect(await readdir(root)).not.toContain('.davit');
});

test('removeUnusedState() keeps the stacks of another project in the same folder', async () => {
  const { root, project, remove } = await makeProject();
  const renamed = { ...project, backend: { ...project.backend, project: 'earlier' } };
  await mkdir(join(stateFile(renamed, 'iris.local'), '..'), { recursive: true });
  await writeFile(stateFile(renamed, 'iris.local'), '{}');
  expect(await remove()).toEqual([]);
  expect(existsSync(join(root, '.davit', 'passphrase'))).toBe(true);
});

test('removeUnusedState() keeps what an operation of this process uses; the last removal removes it', async () => {
  const { root, project, hold, remove } = await makeProject();
  const release = await hold(); // a deployment that has begun to make its stack
  const making = ensureStack(project, 'owl.local');
  await release.reached;
  expect(await remove()).toEqual([]);
  await release.now();
  await making;
  expect(existsSync(join(root, '.davit', 'passphrase'))).toBe(true);
  expect(await listStacks(project)).toEqual(['owl.local']);
  await rm(stateFile(project, 'owl.local'));
  await remove();
  expect(await readdir(root)).not.toContain('.davit');
});

test('an operation that begins after the removal makes again what the engine needs', async () => {
  const { root, project, remove } = await makeProject();
  await remove();
  expect(await readdir(root)).not.toContain('.davit');
  await ensureStack(project, 'owl.local'); // the engine below refuses without its project and its passphrase
  expect(await listStacks(project)).toEqual(['owl.local']);
  expect(await readFile(join(root, '.davit', '.gitignore'), 'utf8')).toBe('*\n');
});

test('an operation waits while the state is being removed', async () => {
  const { root, project } = await makeProject();
  let making: Promise<void> | undefined;
  await withFileLock(join(root, '.davit', 'removal.lock'), async () => {
    making = ensureStack(project, 'owl.local');
    await vi.waitFor(async () => expect(await listRecords(root)).toHaveLength(1));
    for (const part of ['pulumi', 'passphrase', 'engine', 'stacks', '.gitignore'])
      await rm(join(root, '.davit', part), { recursive: true, force: true });
  });
  await making;
  expect(await listStacks(project)).toEqual(['owl.local']);
  expect(existsSync(join(root, '.davit', '.gitignore'))).toBe(true);
});

test('two removals at the same time remove everything', async () => {
  const { root, remove } = await makeProject();
  expect(await Promise.all([remove(), remove(), remove()])).toEqual([[], [], []]);
  expect(await readdir(root)).not.toContain('.davit');
});

test.each<[string, ProcessIdentity, RegExp]>([
  ['another process', identifyProcess(process.ppid), /^Keeping the unused state in \S+: process \d+ uses it$/],
  [
    'a process of another machine',
    { ...GONE, boot: 'b', machine: 'm', host: 'box' },
    /: process 999999999 on another machine or container \(box\) may use it\. If it has ended, remove \S+in-use\.theirs$/,
  ],
])('removeUnusedState() keeps what %s uses', async (_what, identity, note) => {
  const { root, use, remove } = await makeProject();
  const record = await use('theirs', identity);
  expect(await remove()).toEqual([expect.stringMatching(note)]);
  expect(existsSync(join(root, '.davit', 'passphrase'))).toBe(true);
  await rm(record);
  expect(await remove()).toEqual([]);
  expect(await readdir(root)).not.toContain('.davit');
});

test('removeUnusedState() is not kept from it by killed processes, also not by a killed removal', async () => {
  const { root, use, remove } = await makeProject();
  await use('theirs', GONE);
  await use('reused', { ...identifyProcess(), started: '1' });
  const lock = join(root, '.davit', 'removal.lock');
  await mkdir(lock);
  await writeFile(join(lock, 'owner'), renderIdentity(GONE));
  await mkdir(join(root, '.davit', 'removed.killed', 'pulumi'), { recursive: true });
  expect(await remove()).toEqual([]);
  expect(await readdir(root)).not.toContain('.davit');
});

test('refreshUsers() removes the records of killed processes and of writes that were cut off long ago', async () => {
  const { root, use } = await makeProject();
  await use('gone', GONE);
  const [cutOff, running] = [await use('cut-off'), await use('running', identifyProcess(process.ppid))];
  const now = await use('being-written');
  await utimes(cutOff, 0, 0);
  expect((await refreshUsers(root)).map(({ file, state }) => [file, state]).sort()).toEqual([
    [now, 'unknown'],
    [running, 'runs'],
  ]);
  expect(await listRecords(root)).toEqual(['in-use.being-written', 'in-use.running']);
});

test('removeUnusedState() keeps files of others beside the state', async () => {
  const { root, remove } = await makeProject();
  await mkdir(join(root, '.davit', 'images'));
  expect(await remove()).toEqual([]);
  expect((await readdir(join(root, '.davit'))).sort()).toEqual(['.gitignore', 'images']);
});

test('removeUnusedState() reports what it cannot do, and does not throw', async () => {
  const { root, project, remove } = await makeProject();
  await writeFile(join(project.backend.folder!, '.pulumi'), 'not a folder');
  const [note, ...more] = await remove();
  expect(note).toMatch(
    /^Cannot remove the unused state in \S+\.davit: ENOTDIR.*\. Nothing that was taken down is affected; the next davit down tries again$/,
  );
  expect(more).toEqual([]);
  expect(existsSync(join(root, '.davit', 'passphrase'))).toBe(true);
});

test('removeStackHistory() leaves the lock and the history of a stack that was made again meanwhile', async () => {
  const { project } = await makeProject();
  const state = join(project.backend.folder!, '.pulumi');
  const history = join(state, 'history', project.backend.project, 'iris.local');
  const lock = join(state, 'locks', 'organization', project.backend.project, 'iris.local', 'theirs.json');
  for (const folder of [history, join(lock, '..')]) await mkdir(folder, { recursive: true });
  await ensureStack(project, 'iris.local');
  await removeStackHistory(project, 'iris.local', SILENT);
  expect(existsSync(history)).toBe(true);
  await rm(stateFile(project, 'iris.local'));
  await writeFile(lock, '{}'); // an update of another process, before it has written the state
  await removeStackHistory(project, 'iris.local', SILENT);
  expect([existsSync(history), existsSync(lock)]).toEqual([false, true]);
  await rm(lock);
  await removeStackHistory(project, 'iris.local', SILENT);
  expect(existsSync(join(lock, '..'))).toBe(false);
});

/** A project whose engine is a program that keeps a file for each stack, as the real one does. */
async function makeProject() {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'davit-unused-')));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const command = join(root, 'pulumi');
  await writeFile(command, ENGINE);
  await chmod(command, 0o755);
  const engine = { command, version: '3', source: 'path' } as unknown as PulumiProject['engine'];
  const { folder, backend, variables } = await prepareEngineProject(root);
  await mkdir(backend.folder!, { recursive: true });
  const environment = {
    ...(await makePulumiEnvironment(root, engine, backend)),
    ...{ STACKS: join(backend.folder!, '.pulumi', 'stacks', backend.project), HELD: join(root, 'held') },
  };
  const project: PulumiProject = { root, folder, programServer: undefined, engine, backend, environment, variables };
  return {
    root,
    project,
    /** The notes of a removal. */
    remove: async () => {
      const notes: string[] = [];
      await removeUnusedState(project, { progress: { say: (line) => void notes.push(line) } });
      return notes;
    },
    /** Makes the next `stack init` wait in the middle. */
    hold: async () => {
      const held = join(root, 'held');
      await mkdir(held);
      return {
        get reached() {
          return vi.waitFor(() => expect(existsSync(join(held, 'reached'))).toBe(true), { timeout: 20_000 });
        },
        now: () => rm(held, { recursive: true }),
      };
    },
    /** Records a process as a user of the state. */
    use: async (name: string, identity?: ProcessIdentity) => {
      const file = join(root, '.davit', `in-use.${name}`);
      await writeFile(file, identity ? renderIdentity(identity) : '');
      return file;
    },
  };
}

const ENGINE = `#!/bin/sh
set -eu
test -e Pulumi.yaml
test -e "$PULUMI_CONFIG_PASSPHRASE_FILE"
case "$2" in
  init)
    if [ -d "$HELD" ]; then touch "$HELD/reached"; fi
    while [ -d "$HELD" ]; do sleep 0.01; done
    test -e "$PULUMI_CONFIG_PASSPHRASE_FILE"
    mkdir -p "$STACKS"
    echo '{}' > "$STACKS/$3.json" ;;
  ls)
    names=$(ls "$STACKS" 2>/dev/null | sed 's/\\(.*\\)\\.json$/{"name":"\\1"}/' | paste -sd, -)
    echo "[$names]" ;;
esac
`;

function stateFile({ backend }: PulumiProject, stack: string): string {
  return join(backend.folder!, '.pulumi', 'stacks', backend.project, `${stack}.json`);
}

async function listRecords(root: string): Promise<readonly string[]> {
  return (await readdir(join(root, '.davit'))).filter((name) => name.startsWith('in-use.')).sort();
}
