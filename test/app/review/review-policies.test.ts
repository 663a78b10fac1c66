import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { reviewProject } from '../../../app/review/review-project.ts';
import { readScope } from '../../../app/review/review-scope.ts';
import { STRICTEST_POLICY } from '../../../schemas/environment/policy.ts';
import { codePath } from '../../../system/code.ts';
import { SILENT } from '../../../system/progress.ts';
import { runGit } from '../../../system/git/run-git.ts';

const git = (root: string, ...args: readonly string[]) =>
  runGit(root, ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args]);

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'davit-policies-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

interface Targets {
  readonly base?: string;
  readonly now?: string;
  /** The requested environments. Empty: all that the pull request has. */
  readonly names?: readonly string[];
}

/** A repository whose base has one environment file and whose working tree has another; undefined: no such file. */
async function review(base: string | undefined, now: string | undefined, targets: Targets = {}) {
  const root = await makeFolder();
  const file = join(root, 'environments/prod.yaml');
  await mkdir(dirname(file));
  const write = (policy: string, target = 'local') =>
    writeFile(file, `name: prod\ntarget: ${target}\npolicy: ${policy}\n`);
  await git(root, 'init', '-q', '-b', 'main');
  if (base !== undefined) await write(base, targets.base);
  await git(root, 'add', '-A');
  await git(root, 'commit', '-q', '--allow-empty', '-m', 'base');
  if (now === undefined) await rm(file, { force: true });
  else await write(now, targets.now);
  return readPolicies(root, 'main', targets.names);
}

async function readPolicies(root: string, base = 'main', names: readonly string[] = ['prod']) {
  const place = { root, endpoints: 'endpoints' };
  const { signal } = new AbortController();
  const everyEnvironment = names.length === 0;
  return (await readScope({ place, base, environments: names, everyEnvironment, signal })).policies;
}

test.each([
  ['unchanged', '{ pickles: error }', '{ pickles: error }', [{ pickles: 'error' }]],
  ['relaxed', '{ pickles: error }', '{ pickles: ignore }', [{ pickles: 'ignore' }, { pickles: 'error' }]],
  ['new', undefined, '{ pickles: ignore }', [{ pickles: 'ignore' }, {}]],
  ['unreadable before', '5', '{ pickles: ignore }', [{ pickles: 'ignore' }, STRICTEST_POLICY]],
  ['deleted', '{ pickles: error }', undefined, [{ pickles: 'error' }]],
  ['new and wrong', undefined, '5', [{}]],
  ['wrong', '{ pickles: error }', '5', [{ pickles: 'error' }]],
  ['unreadable before and after', '5', '5', [STRICTEST_POLICY]],
])('a pull request is judged by the policy of its base too when it is %s', async (_what, base, now, expected) => {
  expect(await review(base, now)).toEqual(expected);
});

test.each([
  ['the pull request', { now: 'lokal' }, [{ pickles: 'error' }]],
  ['the base', { base: 'lokal' }, [{ pickles: 'ignore' }, { pickles: 'error' }]],
])(
  'a mistake elsewhere in the environment file of %s leaves the policy of the base',
  async (_who, targets, expected) => {
    expect(await review('{ pickles: error }', '{ pickles: ignore }', targets)).toEqual(expected);
  },
);

test('an environment that the pull request deletes counts where all environments are requested', async () => {
  expect(await review('{ pickles: error }', undefined, { names: [] })).toEqual([{ pickles: 'error' }]);
});

type Files = Readonly<Record<string, string | { readonly to: string } | null>>;

/** Writes policies by the paths of their files, and links; null removes. */
async function writeAll(root: string, files: Files): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    const file = join(root, path);
    await rm(file, { recursive: true, force: true });
    if (content === null) continue;
    await mkdir(dirname(file), { recursive: true });
    if (typeof content === 'string') await writeFile(file, `name: prod\ntarget: local\npolicy: ${content}\n`);
    else await symlink(content.to, file);
  }
}

const [STRICT, MILD] = ['{ pickles: error }', '{ pickles: ignore }'];
const FILE = 'environments/prod.yaml';
const BOTH = [{ pickles: 'ignore' }, { pickles: 'error' }];

test.each<[string, Files, Files, readonly unknown[]]>([
  ['nothing changes', { [FILE]: { to: '../config/a.yaml' }, 'config/a.yaml': STRICT }, {}, [{ pickles: 'error' }]],
  [
    'its target changes',
    { [FILE]: { to: '../config/a.yaml' }, 'config/a.yaml': STRICT },
    { 'config/a.yaml': MILD },
    BOTH,
  ],
  [
    'the target of its folder changes',
    { environments: { to: 'config' }, 'config/prod.yaml': STRICT },
    { 'config/prod.yaml': MILD },
    BOTH,
  ],
  [
    'the target of its target changes',
    { environments: { to: 'config' }, 'config/prod.yaml': { to: '../a.yaml' }, 'a.yaml': STRICT },
    { 'a.yaml': MILD },
    BOTH,
  ],
  [
    'it leads to another file',
    { [FILE]: { to: '../a.yaml' }, 'a.yaml': STRICT, 'b.yaml': MILD },
    { [FILE]: { to: '../b.yaml' } },
    BOTH,
  ],
  [
    'its folder leads to another folder',
    { environments: { to: 'a' }, 'a/prod.yaml': STRICT, 'b/prod.yaml': MILD },
    { environments: { to: 'b' } },
    BOTH,
  ],
  [
    'its folder becomes a real one',
    { environments: { to: 'a' }, 'a/prod.yaml': STRICT },
    { environments: null, [FILE]: MILD },
    BOTH,
  ],
  [
    'its target is deleted',
    { [FILE]: { to: '../a.yaml' }, 'a.yaml': STRICT },
    { 'a.yaml': null },
    [{ pickles: 'error' }],
  ],
])('the policy of the base is read through a link when %s', async (_what, before, after, expected) => {
  const root = await makeFolder();
  await git(root, 'init', '-q', '-b', 'main');
  await writeAll(root, before);
  await git(root, 'add', '-A');
  await git(root, 'commit', '-q', '-m', 'base');
  await writeAll(root, after);
  expect(await readPolicies(root)).toEqual(expected);
});

test('a link may lead to another folder of the repository than the project, and no link out of it has a policy', async () => {
  const root = await makeFolder();
  await git(root, 'init', '-q', '-b', 'main');
  await writeAll(root, {
    'shop/environments/prod.yaml': { to: '../../config/prod.yaml' },
    'config/prod.yaml': STRICT,
    'out/environments/prod.yaml': { to: '/etc/hostname' },
  });
  await git(root, 'add', '-A');
  await git(root, 'commit', '-q', '-m', 'base');
  await writeAll(root, { 'config/prod.yaml': MILD, 'out/environments/prod.yaml': MILD });
  expect(await readPolicies(join(root, 'shop'))).toEqual(BOTH);
  await expect(readPolicies(join(root, 'out'))).rejects.toThrow(
    /^Cannot read environments\/prod\.yaml of the commit [0-9a-f]{40}: it is a link out of the repository\. Put the file/,
  );
});

test('environments that the pull request deletes with the link to their folder count where all are requested', async () => {
  const root = await makeFolder();
  await git(root, 'init', '-q', '-b', 'main');
  await writeAll(root, { environments: { to: 'config' }, 'config/prod.yaml': STRICT });
  await git(root, 'add', '-A');
  await git(root, 'commit', '-q', '-m', 'base');
  await writeAll(root, { environments: null });
  expect(await readPolicies(root, 'main', [])).toEqual([{ pickles: 'error' }]);
});

/** As in a private repository: the credential of the checkout is gone when a content is missing. HEAD~1 is the base. */
async function makePartialClone(filter: string): Promise<string> {
  const [origin, root] = [await makeFolder(), join(await makeFolder(), 'clone')];
  const write = (policy: string) => writeFile(file, `name: prod\ntarget: local\npolicy: ${policy}\n`);
  const file = join(origin, 'environments/prod.yaml');
  await mkdir(dirname(file));
  await git(origin, 'init', '-q', '-b', 'main');
  await git(origin, 'config', 'uploadpack.allowFilter', 'true');
  for (const policy of ['{ pickles: error }', '{ pickles: ignore }']) {
    await write(policy);
    await git(origin, 'add', '-A');
    await git(origin, 'commit', '-q', '-m', 'policy');
  }
  await git(origin, 'clone', '-q', `--filter=${filter}`, `file://${origin}`, root);
  await rm(origin, { recursive: true });
  return root;
}

test('a policy of the base that cannot be read is an error, and never the default', async () => {
  const root = await makePartialClone('blob:none');
  await expect(readPolicies(root, 'HEAD~1')).rejects.toThrow(
    /^Cannot read environments\/prod\.yaml of the base [0-9a-f]{40}, whose policy this review needs: git reports "/,
  );
  const asked = { root, base: 'HEAD~1', environments: ['prod'], names: [], progress: SILENT };
  const report = await reviewProject({ ...asked, stage: 'preview', signal: new AbortController().signal });
  expect(report.environments).toEqual(['prod']); // a preview needs no policy
});

test.each(['pull-request: validate', 'warm: warm'])('the checkout of %s has the policy of the base', async (where) => {
  const [file, job] = where.split(': ') as [string, string];
  const workflow = parse(readFileSync(codePath(`.github/workflows/${file}.yaml`), 'utf8')) as Workflow;
  const filter = workflow.jobs[job]?.steps.find((s) => s.uses.startsWith('actions/checkout@'))?.with['filter'];
  const root = await makePartialClone(filter ?? 'none');
  expect(await readPolicies(root, 'HEAD~1')).toEqual([{ pickles: 'ignore' }, { pickles: 'error' }]);
});

interface Workflow {
  readonly jobs: Readonly<Record<string, { readonly steps: readonly Step[] }>>;
}

interface Step {
  readonly uses: string;
  readonly with: Readonly<Record<string, string>>;
}
