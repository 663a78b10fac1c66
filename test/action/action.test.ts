import { describe, expect, it } from 'vitest';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseReport } from '../../schemas/report/report.ts';
import { codePath } from '../../system/code.ts';
import {
  commit,
  makeWorkspace,
  runStep,
  runStepInProcess,
  type ActionStep,
  type StepResult,
  TOKEN,
  writeFiles,
} from './run-action.ts';

/** Takes a minute for everything. */
const UV = `#!/bin/sh
/usr/bin/env > "$SEEN/environment"
: > "$SEEN/hangs"
exec /bin/sleep 60
`;
const IRIS = 'name: iris\nconfig: {served_entities: [{entity_name: iris, entity_version: "2"}]}\n';
const GOOD = 'name: good\nconfig: {served_entities: [{entity_name: iris, entity_version: "2"}]}\n';

function onlyGit(): string {
  const folder = mkdtempSync(join(tmpdir(), 'davit-git-'));
  symlinkSync(execFileSync('which', ['git'], { encoding: 'utf8' }).trim(), join(folder, 'git'));
  return folder;
}

/** Validates a change that adds these files. */
async function validate(files: Readonly<Record<string, string>>, more: Partial<ActionStep> = {}): Promise<StepResult> {
  const workspace = makeWorkspace({ 'endpoints/.keep': '', 'environments/local.yaml': 'name: local\ntarget: local\n' });
  const base = commit(workspace);
  writeFiles(workspace, files);
  cpSync(codePath('models', 'iris', '2'), join(workspace, 'models', 'iris', '2'), { recursive: true });
  const head = commit(workspace);
  const event = { pull_request: { number: 7, base: { sha: base }, head: { sha: head } } };
  const run = more.onStart ? runStep : runStepInProcess;
  return run({ inputs: { command: 'validate' }, workspace, event, ...more });
}

describe('validate', () => {
  it('puts every mistake on its line, writes report and summary, and fails', async () => {
    const { code, commands, outputs, summary } = await validate({
      'endpoints/a.yaml': 'name: a\nfoo: "::set-output x"\n',
      'endpoints/b.yaml': '[',
    });
    expect(commands).toEqual([
      '::error title=missing-field,file=endpoints/a.yaml,line=1,col=1::Cannot find "config": expected a map',
      '::error title=unknown-field,file=endpoints/a.yaml,line=2,col=1::Cannot accept "foo" here: there is no such field%0AValid fields: name, description, tags, config, route_optimized, ai_gateway, rate_limits, davit',
      expect.stringMatching(/^::error title=bad-yaml,file=endpoints\/b.yaml,line=1,col=\d+::/),
      '::error::2 endpoints: 2 fail',
    ]);
    expect(code).toBe(1);
    expect(outputs).toMatchObject({ errors: '3', endpoints: '["a","b"]', preview: 'true' });
    expect(JSON.parse(readFileSync(join(outputs['folder']!, 'report.json'), 'utf8'))).toMatchObject({
      endpoints: [{ endpoint: 'a' }, { endpoint: 'b' }],
    });
    expect(summary).toContain('### 2 endpoints: 2 fail');
  });

  it('is content when nothing of the endpoints changes', async () => {
    const { code, commands, outputs } = await validate({ 'README.md': 'words' });
    expect({ code, commands }).toEqual({ code: 0, commands: [] });
    expect(outputs).toMatchObject({ errors: '0', endpoints: '[]', preview: 'false' });
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`docs/${i}`, 'words']));
    expect((await validate(many)).outputs, 'more than GitHub lists').toMatchObject({ preview: 'true' });
  });

  it('shows no more than the ten errors that GitHub shows: eight, how many there are besides, and the sum', async () => {
    const many = Array.from({ length: 30 }, (_, i) => [`endpoints/e${i}.yaml`, `name: e${i}\n`]);
    const { commands } = await validate(Object.fromEntries(many) as Record<string, string>);
    const errors = commands.filter((c) => c.startsWith('::error'));
    expect(errors).toHaveLength(10);
    expect(errors[8]).toBe('::error::22 more errors are in the report');
  });

  it('names of files that are none go into no output, and command nothing', async () => {
    const { commands, outputs } = await validate({
      'endpoints/$(touch x).yaml': GOOD,
      'endpoints/a\n::set-output name=endpoints::b.yaml': GOOD,
      'endpoints/::add-mask::x.yaml': '[',
    });
    expect(outputs['endpoints']).toBe('[]');
    expect(
      commands.every((c) => c.startsWith('::error ') || c.startsWith('::error::') || c.startsWith('::warning ')),
    ).toBe(true);
  });

  it('follows no link in place of the folder of endpoints', async () => {
    const workspace = makeWorkspace({ 'endpoints/iris.yaml': IRIS });
    const base = commit(workspace);
    rmSync(join(workspace, 'endpoints'), { recursive: true });
    symlinkSync('/etc', join(workspace, 'endpoints'));
    const event = { pull_request: { number: 7, base: { sha: base }, head: { sha: commit(workspace) } } };
    const { code, commands, log } = await runStepInProcess({ inputs: { command: 'validate' }, workspace, event });
    expect({ code, commands }, log).toEqual({
      code: 1,
      commands: [
        expect.stringMatching(
          /^::error title=unreadable-file,file=endpoints,line=1,col=1::.* leads outside the project/,
        ),
        '::error::1 endpoint: 1 proved, not previewed; 1 error in other files',
      ],
    });
    expect(log).not.toMatch(/passwd|resolv/); // files of /etc
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('leaves what it has found out when the runner sends %s', async (signal) => {
    const slow = mkdtempSync(join(tmpdir(), 'davit-slow-uv-'));
    const [, version = ''] = /^uv==(\S+)/m.exec(readFileSync(codePath('python', 'uv-requirements.txt'), 'utf8')) ?? [];
    const bin = join(slow, 'uv', version, 'bin');
    mkdirSync(bin, { recursive: true });
    writeFileSync(join(bin, 'uv'), UV, { mode: 0o755 });
    let cancelled = 0;
    const { code, outputs, commands } = await validate(
      { 'endpoints/broken.yaml': '[', 'endpoints/iris.yaml': IRIS },
      {
        inputs: { command: 'validate', 'github-token': TOKEN },
        env: {
          PATH: onlyGit(), // and no uv of the machine's
          DAVIT_CACHE: slow,
          SEEN: slow,
          ACTIONS_RUNTIME_TOKEN: 'runtime',
          GITHUB_TOKEN: 'job',
        },
        onStart: (child) => {
          const waiting = setInterval(() => {
            if (!existsSync(join(slow, 'hangs'))) return;
            clearInterval(waiting);
            cancelled = performance.now();
            child.kill(signal);
          }, 50);
        },
      },
    );
    expect(cancelled).toBeGreaterThan(0);
    expect((performance.now() - cancelled) / 1000).toBeLessThan(7.5);
    expect(code).toBe(1);
    expect(commands.at(-1)).toBe(`::error::Cancelled (${signal})`);
    expect(readFileSync(join(slow, 'environment'), 'utf8')).not.toMatch(/^(INPUT_|ACTIONS_|GITHUB_TOKEN=)/m);
    const text = readFileSync(join(outputs['folder']!, 'report.json'), 'utf8');
    expect(outputs['digest']).toBe(createHash('sha256').update(text).digest('hex'));
    expect(parseReport(text)).toMatchObject({
      stages: [{ stage: 'validate', result: 'cancelled' }],
      endpoints: [
        { endpoint: 'broken', diagnostics: [{ code: 'bad-yaml' }] },
        { endpoint: 'iris', outage: 'the review was stopped before it was done' },
      ],
    });
  });

  it.each([
    ['a first push', '0'.repeat(40)],
    ['a forced push, whose commit before it is gone', 'f'.repeat(40)],
  ])('takes all endpoints after %s', async (_, before) => {
    const workspace = makeWorkspace({ 'endpoints/a.yaml': 'name: a\n', 'endpoints/b.yaml': '[' });
    const push = { eventName: 'push', event: { before, ref: 'refs/heads/main' }, workspace };
    const { outputs, log } = await runStepInProcess({ ...push, inputs: { command: 'validate', base: before } });
    expect(outputs['endpoints'], log).toBe('["a","b"]');
    expect(log).toContain('all endpoints count as changed');
    const named = await runStepInProcess({ ...push, inputs: { command: 'validate', base: before, endpoints: 'b' } });
    expect(named.outputs['endpoints'], named.log).toBe('["b"]');
    const empty = makeWorkspace({ 'README.md': 'words' });
    expect(
      (await runStepInProcess({ ...push, workspace: empty, inputs: { command: 'validate', base: before } })).code,
    ).toBe(0);
  });

  it('fails when it cannot do its work', async () => {
    const workspace = makeWorkspace({});
    const { code, commands } = await runStepInProcess({ inputs: { command: 'validate', base: 'nowhere' }, workspace });
    expect(code).toBe(1);
    expect(commands).toEqual([
      expect.stringContaining('::error::Cannot find the changed files: "nowhere" is not a commit in this repository'),
    ]);
  });
});

describe('caches', () => {
  const ask = (eventName: string, more: object, ref: string) =>
    runStepInProcess({
      inputs: { command: 'caches' },
      workspace: makeWorkspace({ 'endpoints/a.yaml': GOOD }),
      eventName,
      event: { repository: { full_name: 'octocat/models', default_branch: 'main' }, ...more },
      env: { GITHUB_REF: ref, DAVIT_CACHE: '/cache/davit', UV_CACHE_DIR: '/cache/uv' },
    });

  it('gives each pull request keys of its own, and the byte code that models can write to nobody', async () => {
    const pull = { pull_request: { number: 7, base: { sha: '0'.repeat(40) }, head: { sha: '1'.repeat(40) } } };
    const { code, outputs } = await ask('pull_request', pull, 'refs/pull/7/merge');
    expect(code).toBe(0);
    expect(outputs['validate-paths']?.split('\n')).toEqual([
      '/cache/davit/uv',
      '/cache/davit/virtualenvs',
      '/cache/davit/proofs',
      '/cache/davit/pickles',
      '!/cache/davit/virtualenvs/*/pycache',
      '/cache/uv',
    ]);
    expect(outputs['validate-key']).toMatch(/^davit-validate-linux-x64-pull-request-7-[0-9a-f]{20}$/);
    expect(outputs['validate-restore-keys']?.split('\n')).toEqual([
      'davit-validate-linux-x64-pull-request-7-',
      'davit-validate-linux-x64-default-branch-',
    ]);
  });

  it('takes for the default branch only a push to it', async () => {
    const main = await ask('push', {}, 'refs/heads/main');
    expect(main.outputs['validate-restore-keys']).toBe('davit-validate-linux-x64-default-branch-');
    for (const [name, ref] of [
      ['push', 'refs/heads/other'],
      ['workflow_dispatch', 'refs/heads/main'],
      ['workflow_run', 'refs/heads/main'],
    ] as const)
      expect((await ask(name, {}, ref)).outputs['validate-key']).not.toContain('default-branch');
  });
});
