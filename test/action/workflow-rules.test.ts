// Rules of our workflows that neither actionlint nor zizmor knows.
import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { CODE_FOLDER, codePath } from '../../system/code.ts';
import { readDocumentedFiles } from '../../app/init/documented-files.ts';

interface Step {
  readonly if?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly with?: Readonly<Record<string, unknown>>;
}

interface Job {
  readonly if?: string;
  readonly uses?: string;
  readonly environment?: string;
  readonly steps?: readonly Step[];
  readonly permissions: Readonly<Record<string, string>>;
}

interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions: unknown;
  readonly jobs: Readonly<Record<string, Job>>;
}

const FOLDER = '.github/workflows';
const ours = new Map(
  globSync(`${FOLDER}/*.yaml`, { cwd: CODE_FOLDER }).map((file) => [file, read(readFileSync(codePath(file), 'utf8'))]),
);
const documented = new Map(
  [...(await readDocumentedFiles())].flatMap(([file, text]) => (file.startsWith(FOLDER) ? [[file, read(text)]] : [])),
);
const called = [...ours].filter(([, { on }]) => 'workflow_call' in on);
const jobs = called.flatMap(([file, { jobs: all }]) =>
  Object.entries(all).map(([name, job]) => [`${basename(file, '.yaml')}/${name}`, job] as const),
);
const callers = [...documented, ...[...ours].filter(([, { on }]) => !('workflow_call' in on))].flatMap(
  ([file, { jobs: all }]) =>
    Object.entries(all)
      .filter(([, job]) => job.uses !== undefined)
      .map(([name, job]) => [`${basename(file)}: ${name}`, job] as const),
);
const release = Object.entries(ours.get(`${FOLDER}/davit-release.yaml`)?.jobs ?? {});

function read(text: string): Workflow {
  return parse(text) as Workflow;
}

/** What all jobs of a workflow of ours may, together. */
function needed(uses: string): Readonly<Record<string, string>> {
  const name = /workflows\/([a-z-]+\.yaml)/.exec(uses)?.[1] ?? uses;
  const all = Object.values(ours.get(`${FOLDER}/${name}`)?.jobs ?? {}).flatMap((j) => Object.entries(j.permissions));
  const rank = ['read', 'write'];
  return Object.fromEntries(all.toSorted(([, a], [, b]) => rank.indexOf(a) - rank.indexOf(b)));
}

describe('our workflows', () => {
  it('are seven to call and at least three of our own', () => {
    expect(called.map(([file]) => basename(file)).toSorted()).toEqual(
      ['deploy', 'destroy', 'drift', 'fork-report', 'outdated', 'pull-request', 'warm'].map((n) => `${n}.yaml`),
    );
    expect(callers.length).toBeGreaterThan(6);
  });

  it.each(jobs)('%s takes the action of its own commit, and runs no script', (_, { steps = [] }) => {
    expect(steps.filter((s) => s.uses === '$/action').length).toBeGreaterThan(0);
    expect(steps.filter((s) => s.run !== undefined)).toEqual([]);
  });

  it.each(jobs.filter(([, j]) => j.permissions['id-token'] !== undefined))(
    '%s, which can have a role, restores no cache',
    (_, { steps = [] }) => {
      expect(steps.filter((s) => s.uses?.startsWith('actions/cache'))).toEqual([]);
    },
  );

  it.each(jobs)('%s hides no variable that the user’s own credentials action has set', (_, { steps = [] }) => {
    const own = steps.findIndex((s) => s.uses === './.github/actions/davit-credentials');
    const given = steps.slice(own === -1 ? steps.length : own + 1).flatMap((s) => Object.entries(s.env ?? {}));
    const hidden = given.filter(([name, text]) => !text.endsWith(` || env.${name} }}`));
    expect(hidden).toEqual([]);
  });

  it('only jobs that run no model have a secret or can have a role', () => {
    const knowing = jobs.filter(([, job]) => JSON.stringify(job).includes('secrets.')).map(([name]) => name);
    expect(knowing.toSorted()).toEqual(
      [
        'deploy/deploy',
        'destroy/destroy',
        'drift/drift',
        ...['fetch', 'preview', 'report'].map((n) => `pull-request/${n}`),
      ].toSorted(),
    );
    const able = jobs.filter(([name, job]) => knowing.includes(name) || 'id-token' in job.permissions);
    const commands = able.flatMap(([, { steps = [] }]) => steps.flatMap((s) => s.with?.['command'] ?? []));
    expect(commands).not.toContain('validate');
    expect(jobs.find(([name]) => name === 'pull-request/fetch')?.[1].permissions).toEqual({
      contents: 'read',
      'id-token': 'write',
    });
  });

  it('of a pull request, a role is taken by the action of the base branch, in no run of a fork or of Dependabot', () => {
    const named = jobs.filter(([name, job]) => name.startsWith('pull-request/') && 'id-token' in job.permissions);
    expect(named.map(([name]) => name)).toEqual(['pull-request/fetch', 'pull-request/preview']);
    for (const [, { if: condition, steps = [] }] of named) {
      expect(condition).toContain(
        "github.event.pull_request.head.repo.full_name == github.repository && github.actor != 'dependabot[bot]' }}",
      );
      const own = steps.findIndex((s) => s.uses === './.github/actions/davit-credentials');
      const checkouts = steps.filter((s) => s.uses?.startsWith('actions/checkout@'));
      expect(checkouts.map((s) => [s.with?.['path'], s.with?.['ref']])).toEqual([
        [undefined, '${{ github.base_ref }}'], // the workspace, whose action it is
        ['.davit/pull-request', undefined],
      ]);
      expect(steps.slice(own + 1).some((s) => s.uses?.startsWith('actions/checkout@'))).toBe(false);
      expect(steps.filter((s) => s.uses?.startsWith('./')).length).toBe(1);
      expect(steps[own]?.if).toMatch(/^\$\{\{ (?:inputs\.fetch-role|hashFiles\(.*\) != '') \}\}$/);
    }
  });

  it('the job that fetches asks for a role of its own, of no environment, and only where the caller says so', () => {
    const steps = jobs.find(([name]) => name === 'pull-request/fetch')?.[1].steps ?? [];
    const [base, , own] = steps;
    expect(base?.if).toBe('${{ inputs.fetch-role }}');
    expect(own).toMatchObject({ if: '${{ inputs.fetch-role }}', with: { environments: '', access: 'fetch' } });
    const { inputs } = ours.get(`${FOLDER}/pull-request.yaml`)?.on['workflow_call'] as {
      inputs: Readonly<Record<string, { readonly default?: unknown }>>;
    };
    expect(inputs['fetch-role']?.default).toBe(false);
  });

  it.each(jobs.filter(([, job]) => JSON.stringify(job).includes('secrets.')))(
    '%s, which has a secret, restores no cache',
    (_, { steps = [] }) => {
      expect(steps.filter((s) => s.uses?.startsWith('actions/cache'))).toEqual([]);
    },
  );

  it('the jobs that download models after and before a merge know the same servers and credentials', () => {
    const read = (command: string) => {
      const steps = jobs.flatMap(([, { steps: all = [] }]) => all).filter((s) => s.with?.['command'] === command);
      // A deployment reads buckets and container registries with its role.
      const own = /^(?:AWS|GOOGLE|AZURE|CONTAINER|PULUMI)_|ADVISORIES/;
      return Object.keys(steps[0]?.env ?? {}).filter((name) => !own.test(name));
    };
    expect(read('images').toSorted()).toEqual(read('fetch').toSorted());
    expect(read('deploy').toSorted()).toEqual(read('fetch').toSorted());
  });

  it.each(
    jobs.filter(([, j]) => j.permissions['pull-requests'] === 'write' && j.permissions['id-token'] === undefined),
  )('%s, which writes to pull requests, checks nothing out', (_, { steps = [] }) => {
    expect(steps.filter((s) => s.uses?.startsWith('actions/checkout'))).toEqual([]);
  });

  it.each(jobs)('%s works in the project of its caller', (_, { steps = [] }) => {
    for (const step of steps.filter((s) => s.uses === '$/action'))
      expect(step.with?.['project']).toBe('${{ inputs.project }}');
    const folders = steps.map((s) => s.with?.['sparse-checkout']).filter((text) => typeof text === 'string');
    const sparse = folders.flatMap((text) => text.split('\n').filter(Boolean));
    expect(sparse.filter((folder) => !folder.startsWith('${{ inputs.project }}/'))).toEqual([]);
  });

  it('tell every step that compares packages with advisories which vulnerabilities are accepted', () => {
    const commands = jobs.flatMap(([, { steps = [] }]) =>
      steps.flatMap(({ env, with: given }) =>
        env?.['DAVIT_ADVISORIES_IGNORED']?.startsWith('${{ inputs.advisories-ignored ') ? [given?.['command']] : [],
      ),
    );
    expect(commands.toSorted()).toEqual(['deploy', 'images', 'validate', 'validate']);
  });

  it('give the token for commits only to the steps that commit, with the least rights', () => {
    const steps = jobs.flatMap(([name, { steps: all = [] }]) => all.map((step) => [name, step] as const));
    const knowing = steps.filter(([, step]) =>
      /DAVIT_APP_KEY|DAVIT_COMMIT_TOKEN|steps\.app\b/.test(JSON.stringify(step)),
    );
    const rights = (step: Step) => Object.entries(step.with ?? {}).filter(([key]) => key.startsWith('permission-'));
    expect(knowing.map(([name, step]) => [name, step.with?.['command'] ?? Object.fromEntries(rights(step))])).toEqual([
      ['deploy/deploy', { 'permission-contents': 'write', 'permission-pull-requests': 'write' }],
      ['deploy/deploy', 'deploy'],
      ['pull-request/report', { 'permission-contents': 'write' }],
      ['pull-request/report', 'report'],
    ]);
  });

  it('a release is published by a job that builds nothing', () => {
    const writers = release.filter(([, { permissions }]) => permissions['contents'] === 'write');
    expect(writers.map(([name]) => name)).toEqual(['release']);
    expect(writers.flatMap(([, { steps = [] }]) => steps.flatMap((s) => s.uses?.split('@')[0] ?? []))).toEqual([
      'actions/download-artifact',
    ]);
  });

  it('a release is signed only for a commit in main, by a job of the environment "release"', () => {
    const signers = release.flatMap(([, job]) => (job.permissions['id-token'] === 'write' ? [job] : []));
    expect(signers.map((job) => job.environment)).toEqual(['release']);
    const scripts = signers.flatMap(({ steps = [] }) => steps.flatMap((s) => s.run ?? []));
    expect(scripts[0]).toContain('git merge-base --is-ancestor "$GITHUB_SHA" refs/remotes/origin/main ||');
  });

  it('the builds of images end before the job, and no failure of them ends it', () => {
    const { deploy } = ours.get(`${FOLDER}/deploy.yaml`)?.jobs ?? {};
    const build = deploy?.steps?.find((s) => s.with?.['command'] === 'images');
    expect(build).toMatchObject({ 'timeout-minutes': 55, 'continue-on-error': true });
  });

  it.each([...jobs, ...release])('%s leaves no credential in a checkout', (_, { steps = [] }) => {
    for (const step of steps.filter((s) => s.uses?.startsWith('actions/checkout')))
      expect(step.with?.['persist-credentials']).toBe(false);
  });
});

describe('who calls our workflows', () => {
  it.each(callers)('%s grants what is used, no more and no less', (_, job) => {
    expect(job.permissions).toEqual(needed(job.uses ?? ''));
  });

  it('names one release everywhere', () => {
    const releases = [...documented.values()].flatMap((w) => Object.values(w.jobs).map((j) => j.uses?.split('@')[1]));
    expect(new Set(releases).size).toBe(1);
  });

  it('never runs on pull_request_target', () => {
    for (const { on } of [...ours.values(), ...documented.values()])
      expect(on).not.toHaveProperty('pull_request_target');
  });
});
