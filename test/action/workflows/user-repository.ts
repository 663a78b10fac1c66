import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parse, stringify } from 'yaml';
import { readDocumentedFiles } from '../../../app/init/documented-files.ts';
import { startFakeGitHub, type FakeGitHub } from '../github/fake/server.ts';
import type { Seed } from '../github/fake/seed.ts';
import { codePath } from '../../../system/code.ts';
import { replaceUnsupportedSyntax, listRepositoryFiles, makeRelease } from './release.ts';
import { type ActResult, type ActRun, runAct, TOKEN } from './run-act.ts';

const REPOSITORY = 'acme/models';
const BOT = 'github-actions[bot]';
/** The secret of the repository; it is seen nowhere. */
export const PASSPHRASE = 'correct-horse-battery';

/** Path → content; `null`: no such file; `{ from }`: a copy of a file or folder. */
export type Files = Readonly<Record<string, string | null | { readonly from: string }>>;

export interface TestPullRequest {
  readonly number: number;
  /** Its commit before the merge. */
  head: string;
  readonly branch: string;
  readonly fork: string | undefined;
}

type Edit = (text: string) => string;
type ActRunResult = ActResult & { readonly runId: number };

/** A user's repository made from docs/pull-requests.md, with environments of this machine, and a GitHub for it. */
export class UserRepository {
  readonly github: FakeGitHub;
  readonly folder: string;
  readonly #release: string;
  #runs = 100;

  private constructor(folder: string, github: FakeGitHub, release: string) {
    this.folder = folder;
    this.github = github;
    this.#release = release;
  }

  /** A user's repository made from the documentation, which may be edited, with these files over it on `main`. */
  static async make(files: Files, seed: Partial<Seed> = {}, edit: Edit = (text) => text): Promise<UserRepository> {
    // The documented one logs in to a cloud.
    const own = { '.github/actions/davit-credentials/action.yml': null, '.gitignore': '.davit/\n' };
    return UserRepository.makeFrom(await readDocumentedFiles(), { ...own, ...files }, { seed, edit });
  }

  /** A user's repository made from files with workflows, which may be edited, with other files over it on `main`. */
  static makeFrom(
    made: ReadonlyMap<string, string>,
    files: Files,
    { seed = {}, edit = (text) => text }: { readonly seed?: Partial<Seed>; readonly edit?: Edit } = {},
  ): Promise<UserRepository> {
    const edited = [...made].map(([file, text]) => [file, edit(text)] as const);
    return UserRepository.#open({ ...Object.fromEntries(edited), ...files }, seed);
  }

  /** Davit's own repository, as it lies here. */
  static makeOwn(): Promise<UserRepository> {
    return UserRepository.#open(
      Object.fromEntries(listRepositoryFiles().map((file) => [file, { from: codePath(file) }])),
      {},
    );
  }

  static async #open(files: Files, seed: Partial<Seed>): Promise<UserRepository> {
    const folder = mkdtempSync(join(tmpdir(), 'davit-user-'));
    const [origin, release] = [join(folder, 'origin'), join(folder, 'named')];
    mkdirSync(origin);
    makeRelease(join(folder, 'release'), release);
    git(origin, 'init', '--quiet', '--initial-branch', 'main');
    write(origin, files);
    editWorkflows(origin, (text) =>
      replaceUnsupportedSyntax(text).replaceAll('s3://acme-davit-state', `file://${folder}/state`),
    );
    mkdirSync(join(folder, 'state')); // where a user has a bucket
    commit(origin, 'The beginning');
    const github = await startFakeGitHub({
      repository: REPOSITORY,
      tokens: { [TOKEN]: { login: BOT } },
      jobs: readJobPermissions(release),
      git: origin,
      ...seed,
    });
    return new UserRepository(folder, github, release);
  }

  /** The checkout that all jobs share. */
  get workspace(): string {
    return join(this.folder, 'workspace');
  }

  get origin(): string {
    return join(this.folder, 'origin');
  }

  head(branch: string): string {
    return git(this.origin, 'rev-parse', branch);
  }

  /** Puts a commit on `main`, as a merge of somebody else does. */
  pushToMain(files: Files): string {
    git(this.origin, 'checkout', '--quiet', 'main');
    write(this.origin, files);
    return commit(this.origin, 'Something else');
  }

  openPullRequest(
    number: number,
    files: Files,
    { fork, labels = [] }: { fork?: string; labels?: string[] } = {},
  ): TestPullRequest {
    const branch = `change-${number}`;
    git(this.origin, 'checkout', '--quiet', '-b', branch, 'main');
    write(this.origin, files);
    const head = commit(this.origin, `Change ${number}`);
    const repository = fork === undefined ? {} : { repository: fork };
    const base = { ref: 'main', sha: this.head('main') };
    this.github.world.pulls.push({
      ...{ number, title: `Change ${number}`, labels, mergedAs: [], closed: false },
      ...{ head: { sha: head, ref: branch, ...repository }, base },
    });
    const pull = { number, head, branch, fork };
    this.#mergeRef(pull);
    return pull;
  }

  /** Edits what is in the working tree of the pull request's branch by other means than files: links, modes. */
  change(pull: TestPullRequest, edit: (folder: string) => void): void {
    git(this.origin, 'checkout', '--quiet', pull.branch);
    edit(this.origin);
    this.#moveHead(pull, commit(this.origin, 'By hand'));
  }

  /** One more commit on the pull request's branch. */
  push(pull: TestPullRequest, files: Files): void {
    git(this.origin, 'checkout', '--quiet', pull.branch);
    write(this.origin, files);
    this.#moveHead(pull, commit(this.origin, 'And more'));
  }

  /** Moves the branch to another commit. */
  resetBranch(pull: TestPullRequest, commit: string): void {
    git(this.origin, 'branch', '--quiet', '--force', pull.branch, commit);
    this.#moveHead(pull, this.head(pull.branch));
  }

  /** What others committed to the branch meanwhile, Davit's locks too. */
  refresh(pull: TestPullRequest): void {
    this.#moveHead(pull, this.head(pull.branch));
  }

  runPullRequest(pull: TestPullRequest, more: Partial<ActRun> = {}): Promise<ActRunResult> {
    const payload = this.#pullRequestEvent(pull);
    const ref = `refs/pull/${pull.number}/merge`;
    return this.#run({
      event: 'pull_request',
      payload,
      workflow: 'davit-pull-request.yaml',
      ref,
      sha: this.head(ref),
      ...more,
    });
  }

  /** The job report after a run that was cancelled: GitHub starts it, act does not. */
  async runReportOfCancelled(pull: TestPullRequest): Promise<ActResult> {
    const file = join(this.#release, '.github', 'workflows', 'pull-request.yaml');
    const whole = readFileSync(file, 'utf8');
    writeFileSync(file, keepOnlyReportJob(whole));
    try {
      return await this.runPullRequest(pull);
    } finally {
      writeFileSync(file, whole);
    }
  }

  /** What GitHub starts when the run of a fork's pull request has ended. */
  runForkReport(pull: TestPullRequest, validated: ActRunResult): Promise<ActResult> {
    const conclusion = Object.values(validated.results).includes('failure') ? 'failure' : 'success';
    const workflowRun = {
      ...{ id: validated.runId, event: 'pull_request', conclusion, head_sha: pull.head, head_branch: pull.branch },
      ...{ html_url: `https://github.com/${REPOSITORY}/actions/runs/${validated.runId}`, pull_requests: [] },
      head_repository: describeRepository(pull.fork ?? REPOSITORY),
    };
    const payload = { ...this.#event(), action: 'completed', workflow_run: workflowRun };
    return this.#runOnMain({ event: 'workflow_run', payload, workflow: 'davit-fork-report.yaml' });
  }

  /** What GitHub starts for a pull request in a merge queue, at the commit that it returns. */
  async runQueue(pull: TestPullRequest): Promise<ActResult & { readonly sha: string }> {
    const base = this.head('main');
    const sha = this.head(`refs/pull/${pull.number}/merge`);
    const ref = `refs/heads/gh-readonly-queue/main/pr-${pull.number}-${base}`;
    git(this.origin, 'update-ref', ref, sha);
    const group = { head_sha: sha, head_ref: ref, base_sha: base, base_ref: 'refs/heads/main' };
    const payload = { ...this.#event(), action: 'checks_requested', merge_group: group };
    const run = { event: 'merge_group', payload, workflow: 'davit-pull-request.yaml', ref, sha };
    return { ...(await this.#run(run)), sha };
  }

  /** Merges by a merge commit and runs what GitHub starts at that. */
  merge(pull: TestPullRequest): { readonly before: string; readonly after: string } {
    const before = this.head('main');
    git(this.origin, 'checkout', '--quiet', 'main');
    git(this.origin, ...AS_USER, 'merge', '--quiet', '--no-ff', '--message', `Merge ${pull.number}`, pull.branch);
    const after = this.head('main');
    this.github.world.pulls.find((p) => p.number === pull.number)?.mergedAs.push(after);
    return { before, after };
  }

  runDeploy(pushed: { before: string; after: string }, more: Partial<ActRun> = {}): Promise<ActResult> {
    const payload = { ...this.#event(), ref: 'refs/heads/main', ...pushed };
    return this.#runOnMain({ event: 'push', payload, workflow: 'davit-deploy.yaml', sha: pushed.after, ...more });
  }

  /** On GitHub all environments at the same time, each on its own machine. */
  runDrift(environment: string): Promise<ActResult> {
    const matrix = `environment:${environment}`;
    return this.#runOnMain({ event: 'schedule', payload: this.#event(), workflow: 'davit-drift.yaml', matrix });
  }

  runDestroy(inputs: { readonly environment: string; readonly endpoint: string }): Promise<ActResult> {
    const payload = { ...this.#event(), inputs };
    return this.#runOnMain({ event: 'workflow_dispatch', payload, workflow: 'davit-destroy.yaml' });
  }

  async remove(): Promise<void> {
    await this.github.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #runOnMain(run: Pick<ActRun, 'event' | 'payload' | 'workflow'> & Partial<ActRun>): Promise<ActResult> {
    return this.#run({ ref: 'refs/heads/main', sha: this.head('main'), ...run });
  }

  async #run(run: Omit<ActRun, 'runId' | 'place'>): Promise<ActRunResult> {
    const runId = ++this.#runs;
    const { folder, origin, github } = this;
    const updatedAt = new Date().toISOString();
    this.github.world.runs.push({ id: runId, status: 'in_progress', attempt: 1, updatedAt });
    const place = { folder, origin, release: this.#release, repository: REPOSITORY, apiUrl: github.url };
    const secrets = { PULUMI_CONFIG_PASSPHRASE: PASSPHRASE, ...run.secrets };
    const result = await runAct({ ...run, runId, place, secrets });
    for (const known of github.world.runs) if (known.id === runId) known.status = 'completed';
    return { ...result, runId };
  }

  #event() {
    return { repository: { ...describeRepository(REPOSITORY), default_branch: 'main' } };
  }

  #pullRequestEvent({ number, head, branch, fork }: TestPullRequest) {
    const base = { ref: 'main', sha: this.head('main'), repo: describeRepository(REPOSITORY) };
    const from = { ref: branch, sha: head, repo: describeRepository(fork ?? REPOSITORY) };
    return { ...this.#event(), action: 'synchronize', number, pull_request: { number, base, head: from } };
  }

  #moveHead(pull: TestPullRequest, head: string): void {
    pull.head = head;
    const known = this.github.world.pulls.find((p) => p.number === pull.number);
    if (known) known.head.sha = head;
    this.#mergeRef(pull);
  }

  /** The commit that GitHub makes for a pull request's runs: what a merge would be. */
  #mergeRef({ number, branch }: TestPullRequest): void {
    git(this.origin, 'checkout', '--quiet', '--detach', 'main');
    git(this.origin, ...AS_USER, 'merge', '--quiet', '--no-ff', '--message', 'Try', branch);
    git(this.origin, 'update-ref', `refs/pull/${number}/merge`, 'HEAD');
    git(this.origin, 'checkout', '--quiet', 'main');
  }
}

/** As events have it. */
function describeRepository(fullName: string) {
  const [owner = '', name = ''] = fullName.split('/');
  return { full_name: fullName, name, owner: { login: owner } };
}

const AS_USER = ['-c', 'user.name=User', '-c', 'user.email=user@example.org'];

function git(folder: string, ...args: readonly string[]): string {
  return execFileSync('git', ['-C', folder, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
}

function commit(folder: string, message: string): string {
  git(folder, 'add', '--all');
  git(folder, ...AS_USER, 'commit', '--quiet', '--allow-empty', '--message', message);
  return git(folder, 'rev-parse', 'HEAD');
}

function write(folder: string, files: Files): void {
  for (const [path, content] of Object.entries(files)) {
    const file = join(folder, path);
    rmSync(file, { recursive: true, force: true });
    if (content === null) continue;
    mkdirSync(dirname(file), { recursive: true });
    if (typeof content === 'string') writeFileSync(file, content);
    else cpSync(content.from, file, { recursive: true, filter: (f) => !f.endsWith('__pycache__') });
  }
}

function editWorkflows(origin: string, edit: Edit): void {
  const folder = join(origin, '.github', 'workflows');
  for (const name of readdirSync(folder)) {
    const file = join(folder, name);
    writeFileSync(file, edit(readFileSync(file, 'utf8')));
  }
}

function keepOnlyReportJob(workflow: string): string {
  const made = parse(workflow) as { jobs: Record<string, { needs?: unknown }> };
  const { report } = made.jobs;
  delete report?.needs;
  const text = stringify({ ...made, jobs: { report } });
  return text.replace('${{ needs.validate.result }}', 'cancelled').replace('${{ needs.preview.result }}', 'skipped');
}

/** What each job of our workflows may, as the fake GitHub enforces it. */
function readJobPermissions(release: string): NonNullable<Seed['jobs']> {
  const files = ['pull-request', 'fork-report', 'deploy', 'drift', 'destroy', 'warm'];
  const jobs = files.map((name) => {
    const text = readFileSync(join(release, '.github', 'workflows', `${name}.yaml`), 'utf8');
    return (
      parse(text) as { readonly jobs: Record<string, { readonly permissions: Record<string, 'read' | 'write'> }> }
    ).jobs;
  });
  return Object.fromEntries(
    jobs.flatMap((j) => Object.entries(j)).map(([name, { permissions }]) => [name, permissions]),
  );
}
