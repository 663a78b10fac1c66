import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { codePath } from '../../../system/code.ts';
import { connected, REPOSITORY, SHA } from './connect-fake-github.ts';
import { readContract } from './fake/contract.ts';
import { HANDLERS } from './fake/rest.ts';

const annotations = (count: number) =>
  Array.from({ length: count }, () => ({
    path: 'a',
    start_line: 1,
    end_line: 1,
    annotation_level: 'failure',
    message: 'm',
  }));

describe('the fake GitHub', () => {
  it.each([
    [
      'more than 50 annotations',
      'POST',
      '/check-runs',
      { name: 'c', head_sha: SHA, output: { title: 't', summary: 's', annotations: annotations(51) } },
      422,
    ],
    [
      'a summary that is too long',
      'POST',
      '/check-runs',
      { name: 'c', head_sha: SHA, output: { title: 't', summary: 'x'.repeat(65_536) } },
      422,
    ],
    ['a check run without a commit', 'POST', '/check-runs', { name: 'c' }, 422],
    ['a comment that is too long', 'POST', '/issues/7/comments', { body: 'x'.repeat(65_537) }, 422],
    ['a state that there is not', 'POST', '/deployments/1/statuses', { state: 'great' }, 422],
    ['a pull request that there is not', 'GET', '/pulls/99', undefined, 404],
  ])('refuses %s', async (_, method, path, body, status) => {
    const { fake } = await connected();
    const response = await fetch(`${fake.url}/repos/${REPOSITORY}${path}`, {
      method,
      headers: { authorization: 'token ours' },
      ...(body && { body: JSON.stringify(body) }),
    });
    expect(response.status).toBe(status);
  });

  it('refuses unknown tokens, other repositories, and more writes per minute than GitHub allows', async () => {
    const { fake } = await connected({ limits: { writesPerMinute: 1, retryAfterSeconds: 3 } });
    const ask = (path: string, token: string, init: RequestInit = {}) =>
      fetch(`${fake.url}${path}`, { headers: { authorization: `token ${token}` }, ...init });
    expect((await ask(`/repos/${REPOSITORY}/pulls/7`, 'none')).status).toBe(401);
    expect((await ask('/repos/acme/secret/pulls/7', 'ours')).status).toBe(404);
    const write = () => ask(`/repos/${REPOSITORY}/issues`, 'ours', { method: 'POST', body: '{"title":"t"}' });
    expect((await write()).status).toBe(201);
    const second = await write();
    expect([second.status, second.headers.get('retry-after')]).toEqual([403, '3']);
  });

  it("grants each job of a shared token its own workflow's permissions", async () => {
    const { fake } = await connected({
      tokens: { shared: { login: 'github-actions[bot]' } },
      jobs: { report: { checks: 'write' }, validate: { contents: 'read' } },
    });
    const create = (job: string) =>
      fetch(`${fake.url}/repos/${REPOSITORY}/check-runs`, {
        method: 'POST',
        headers: { authorization: 'token shared', 'user-agent': `davit (${job}) octokit-core.js/7` },
        body: JSON.stringify({ name: 'c', head_sha: SHA }),
      });
    const answers = [await create('report'), await create('validate'), await create('none')];
    expect(answers.map((a) => a.status)).toEqual([201, 403, 403]);
    expect(fake.requests.map((r) => r.job)).toEqual(['report', 'validate', 'none']);
  });

  it('reports requests that GitHub does not support', async () => {
    const { fake } = await connected();
    const headers = { authorization: 'token ours' };
    await fetch(`${fake.url}/repos/${REPOSITORY}/nothing`, { headers });
    await fetch(`${fake.url}/repos/${REPOSITORY}/deployments?endpoint=iris`, { headers });
    const query = '{ viewer { shoeSize } }';
    await fetch(`${fake.url}/graphql`, { method: 'POST', headers, body: JSON.stringify({ query }) });
    expect(fake.breaches.splice(0)).toEqual([
      'The fake has no GET /repos/octo/models/nothing',
      'repos/list-deployments has no parameter "endpoint"',
      'GraphQL: Cannot query field "shoeSize" on type "User".',
    ]);
  });

  it('serves exactly the operations of the contract', () => {
    expect(readContract().map((o) => o.id)).toEqual(Object.keys(HANDLERS).toSorted());
  });

  it('runs as a separate process', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'davit-fake-')), 'seed.json');
    writeFileSync(
      file,
      JSON.stringify({ repository: REPOSITORY, tokens: {}, pulls: [{ number: 1, head: { sha: SHA } }] }),
    );
    const child = spawn(process.execPath, [codePath('test', 'action', 'github', 'fake', 'main.ts'), file]);
    const [url] = (await once(child.stdout, 'data')) as [Buffer];
    const look = (await (await fetch(`${url.toString().trim()}/_fake`)).json()) as { world: { pulls: unknown[] } };
    expect(look.world.pulls).toHaveLength(1);
    child.kill();
    expect(await once(child, 'exit')).toEqual([0, null]);
  });
});
