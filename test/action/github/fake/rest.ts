import { z } from 'zod';
import type { FakeCall } from './call.ts';
import type { Json } from './contract.ts';
import type { OperationId } from './operations.ts';
import { listChangedFiles, listMessages } from './objects.ts';
import { find, refuseLongBody, Refusal } from './refusal.ts';
import { answerCheckRun, createCheckRun, updateCheckRun } from './rest-checks.ts';
import { answerDeployment, createDeployment, createStatus } from './rest-deployments.ts';
import { makeAuthor, type FakePullRequest, type World } from './world.ts';

/** GitHub compares commits of any size, and lists no more files than this. */
const COMPARED_FILES = 300;

type Handler = (call: FakeCall) => unknown;

/** The handler of each operation. Handlers return whole lists, which the server splits into pages. */
export const HANDLERS: Readonly<Record<OperationId, Handler>> = {
  'actions/get-workflow-run': ({ world, params, example }) => {
    const run = find(world.runs, (r) => r.id === Number(params['run_id']));
    const ended = run.status === 'completed';
    return {
      ...(example as Json),
      id: run.id,
      status: run.status,
      conclusion: ended ? 'failure' : null,
      run_attempt: run.attempt,
      ...(run.updatedAt !== undefined && { updated_at: run.updatedAt }),
    };
  },
  'checks/create': createCheckRun,
  'checks/update': updateCheckRun,
  'checks/list-for-ref': ({ world, params, query, example }) => {
    const name = query.get('check_name');
    const found = world.checkRuns.filter((r) => r.sha === params['ref'] && (name === null || r.name === name));
    const newest = found.filter((r) => !found.some((o) => o.id > r.id && o.app === r.app && o.name === r.name));
    const listed = query.get('filter') === 'all' ? found : newest;
    const one = (example as { check_runs: readonly Json[] }).check_runs[0] ?? {};
    return listed.toReversed().map((run) => answerCheckRun(run, one));
  },
  'issues/create': ({ world, login, body, example }) => {
    const { title, body: text = '' } = z.object({ title: z.string(), body: z.string().optional() }).parse(body);
    refuseLongBody(text);
    const number = Math.max(0, ...world.issues.map((i) => i.number), ...world.pulls.map((p) => p.number)) + 1;
    const issue = { number, author: makeAuthor(login), title, body: text, state: 'open' as const };
    world.issues.push(issue);
    return answerIssue(issue, example as Json);
  },
  'issues/create-comment': ({ world, login, params, body, example }) => {
    const on = Number(params['issue_number']);
    find([...world.issues, ...world.pulls], (i) => i.number === on);
    const { body: text } = z.object({ body: z.string() }).parse(body);
    refuseLongBody(text);
    const comment = { id: world.nextId(), on, author: makeAuthor(login), body: text, minimized: false };
    world.comments.push(comment);
    const user = answerUser(comment.author, (example as Json)['user'] as Json);
    return { ...(example as Json), id: comment.id, body: text, user };
  },
  'issues/list-for-repo': ({ world, query, example }) => {
    const [state, creator] = [query.get('state') ?? 'open', query.get('creator')];
    const wanted = world.issues.filter(
      (i) => (state === 'all' || i.state === state) && (creator === null || i.author.login === creator),
    );
    return wanted.toReversed().map((issue) => answerIssue(issue, (example as readonly Json[])[0] ?? {}));
  },
  'issues/update': ({ world, params, body, example }) => {
    const issue = find(world.issues, (i) => i.number === Number(params['issue_number']));
    const asked = body as Partial<Pick<typeof issue, 'title' | 'body' | 'state'>>;
    refuseLongBody(asked.body ?? '');
    return answerIssue(Object.assign(issue, asked), example as Json);
  },
  'pulls/get': ({ world, params, example }) => {
    const pull = find(world.pulls, (p) => p.number === Number(params['pull_number']));
    return answerPull(world, pull, example as Json);
  },
  'pulls/list': ({ world, query, example }) => {
    const [state, head, base] = [query.get('state') ?? 'open', query.get('head'), query.get('base')];
    const wanted = world.pulls.filter(
      (p) =>
        (state === 'all' || (state === 'open') === isOpen(p)) &&
        (head === null || head === headLabel(world, p)) &&
        (base === null || base === p.base.ref),
    );
    return wanted.map((pull) => answerPull(world, pull, (example as readonly Json[])[0] ?? {}));
  },
  'repos/compare-commits-with-basehead': ({ world, params, query, example }) => {
    const [base = '', head = ''] = (params['basehead'] ?? '').split('...');
    const one = ((example as Json)['files'] as readonly Json[])[0] ?? {};
    const files = listChangedFiles(world, base, head).slice(0, COMPARED_FILES);
    const [commit = {}] = (example as Json)['commits'] as readonly Json[];
    const commits = listMessages(world, base, head).map((message) => ({
      ...commit,
      commit: { ...(commit['commit'] as Json), message },
    }));
    // The commits have pages, and the first one has all files.
    const page = Number(query.get('page') ?? 1);
    const size = query.has('per_page') ? Math.min(Number(query.get('per_page')), 100) : 250;
    return {
      ...(example as Json),
      total_commits: commits.length,
      commits: commits.slice((page - 1) * size, page * size),
      files: page > 1 ? [] : files.map((file) => ({ ...one, ...file })),
    };
  },
  'repos/list-pull-requests-associated-with-commit': ({ world, params, example }) => {
    const sha = params['commit_sha'] ?? '';
    const merged = world.pulls.filter((p) => p.mergedAs.includes(sha));
    const found = merged.length > 0 ? merged : world.pulls.filter((p) => isOpen(p) && p.head.sha === sha);
    return found.map((pull) => answerPull(world, pull, (example as readonly Json[])[0] ?? {}));
  },
  'repos/create-deployment': createDeployment,
  'repos/create-deployment-status': createStatus,
  'repos/list-attestations': ({ world, params, example }) => {
    const bundles = world.attestations[params['subject_digest'] ?? ''];
    if (!bundles) throw new Refusal(404, 'Not Found');
    const one = (example as { attestations: readonly Json[] }).attestations[0] ?? {};
    return bundles.map((bundle) => ({ ...one, bundle }));
  },
  'repos/list-deployments': ({ world, query, example }) => {
    const asked = (['environment', 'task', 'sha'] as const).filter((key) => query.has(key));
    const found = world.deployments.filter((d) => asked.every((key) => d[key] === query.get(key)));
    const one = (example as readonly Json[])[0] ?? {};
    return found.toReversed().map((deployment) => answerDeployment(deployment, one));
  },
};

function isOpen({ mergedAs, closed }: FakePullRequest): boolean {
  return mergedAs.length === 0 && !closed;
}

/** `octocat:change` */
function headLabel(world: World, { head }: FakePullRequest): string {
  return `${(head.repository ?? world.repository).split('/')[0] ?? ''}:${head.ref}`;
}

function answerUser({ login, type }: World['comments'][number]['author'], example: Json): Json {
  return { ...example, login, type };
}

function answerIssue({ number, author, title, body, state }: World['issues'][number], example: Json): Json {
  const user = answerUser(author, example['user'] as Json);
  return { ...example, number, title, body, state, user, pull_request: undefined };
}

function answerPull(world: World, pull: FakePullRequest, example: Json): Json {
  const side = (name: 'head' | 'base', { sha, ref }: { sha: string; ref: string }, repository: string) => {
    const kept = example[name] as { readonly repo: Json };
    return { ...kept, sha, ref, repo: { ...kept.repo, full_name: repository } };
  };
  const merged = pull.mergedAs.at(-1);
  const label = (example['labels'] as readonly Json[])[0] ?? {};
  return {
    ...example,
    number: pull.number,
    node_id: `PR_${pull.number}`,
    html_url: `${world.server}/${world.repository}/pull/${pull.number}`,
    title: pull.title,
    state: isOpen(pull) ? 'open' : 'closed',
    head: side('head', pull.head, pull.head.repository ?? world.repository),
    base: side('base', pull.base, world.repository),
    labels: pull.labels.map((name) => ({ ...label, name })),
    merged_at: merged === undefined ? null : '2026-11-24T12:00:00Z',
    merge_commit_sha: merged ?? null,
    requested_teams: [], // GitHub's example does not match GitHub's schema
  };
}
