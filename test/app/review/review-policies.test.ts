import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { readReviewedEnvironments } from '../../../app/review/review-environments.ts';
import { readReviewedPolicies } from '../../../app/review/review-policies.ts';
import { reviewProject } from '../../../app/review/review-project.ts';
import { readChangedPaths } from '../../../review/changed-paths.ts';
import { STRICTEST_POLICY } from '../../../schemas/environment/policy.ts';
import { codePath } from '../../../system/code.ts';
import { SILENT } from '../../../system/progress.ts';
import { runGit } from '../../../system/run-git.ts';

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
  const changes = await readChangedPaths(root, base);
  const { environments } = await readReviewedEnvironments(place, { names, paths: changes.paths });
  const signal = new AbortController().signal;
  return readReviewedPolicies({ place, names, everyEnvironment: names.length === 0, environments, changes, signal });
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
