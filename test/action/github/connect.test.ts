import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connectGitHub } from '../../../action/github/connect.ts';
import { readPullRequest } from '../../../action/github/pull-request.ts';
import { isReadOnlyTokenError } from '../../../action/github/request-error.ts';
import { secondsToWait } from '../../../action/github/compute-retry-delay.ts';
import { postComment } from '../../../action/github/sticky-comment.ts';
import { asked, connected, SHA } from './connect-fake-github.ts';

const COMMENT = { pull: 7, marker: '<!-- test -->', body: 'all well' };

async function listen(server: Server): Promise<string> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('connectGitHub', () => {
  it('repeats after 502 and after a connection that breaks, and counts it', async () => {
    const { github, fake, said } = await connected({
      faults: [
        { operation: 'pulls/get', status: 502, headers: { 'retry-after': '0' } },
        { operation: 'pulls/get', status: 0 },
      ],
    });
    expect((await readPullRequest(github, 7)).head.sha).toBe(SHA);
    expect(asked(fake)).toEqual(['pulls/get 502', 'pulls/get 0', 'pulls/get 200']);
    expect(github.calls()).toEqual({ requests: 3, repeated: 2, waitedSeconds: 2 });
    expect(said[0]).toContain('GET /repos/{owner}/{repo}/pulls/{pull_number} returned 502');
    expect(said[1]).toMatch(/^Cannot query GitHub: GET \S+ got no answer: .+; retrying in 2 s$/);
  });

  it.each([
    ['429', { status: 429, headers: { 'retry-after': '1' } }],
    ['403 of a secondary limit', { status: 403, headers: { 'retry-after': '1' }, message: 'secondary rate limit' }],
  ])('waits as long as %s says', async (_, fault) => {
    const { github, fake } = await connected({ faults: [{ operation: 'addComment', ...fault }] });
    const from = performance.now();
    await postComment(github, COMMENT);
    expect(performance.now() - from).toBeGreaterThan(950);
    expect(asked(fake)).toEqual(['issueOrPullRequest 200', `addComment ${fault.status}`, 'addComment 200']);
  });

  it('waits no longer than it has patience for, and says what was asked', async () => {
    const fault = { operation: '*', status: 429, headers: { 'retry-after': '600' }, message: 'Slow down' };
    const { github, fake } = await connected({ faults: [fault] });
    await expect(readPullRequest(github, 7)).rejects.toThrow(/returned 429: Slow down/);
    expect(fake.requests).toHaveLength(1);
  });

  it('never repeats what would be refused again, and names the permission that is missing', async () => {
    const { connect, fake } = await connected();
    const refused: unknown = await readPullRequest(connect('nobody'), 7).catch((e: unknown) => e);
    expect(String(refused)).toContain('401: Bad credentials');
    const { octokit, place } = connect('reader');
    const creating = octokit.rest.checks.create({ ...place, name: 'x', head_sha: SHA });
    const readOnly: unknown = await creating.catch((e: unknown) => e);
    expect(String(readOnly)).toContain('the job needs "permissions:" with checks=write');
    expect([isReadOnlyTokenError(refused), isReadOnlyTokenError(readOnly)]).toEqual([false, true]);
    expect(fake.requests).toHaveLength(2);
  });

  it('knows a read-only token by GraphQL as well', async () => {
    const { connect } = await connected({ tokens: { reader: { login: 'x[bot]', permissions: { issues: 'read' } } } });
    const refused: unknown = await postComment(connect('reader'), COMMENT).catch((e: unknown) => e);
    expect(String(refused)).toContain('addComment returned FORBIDDEN');
    expect(isReadOnlyTokenError(refused)).toBe(true);
  });

  it('writes one at a time, as GitHub asks for', async () => {
    let [now, most] = [0, 0];
    const server = createServer((_, response) => {
      most = Math.max(most, ++now);
      setTimeout(() => {
        now -= 1;
        response.writeHead(201, { 'content-type': 'application/json' }).end('{}');
      }, 20);
    });
    const apiUrl = await listen(server);
    const { octokit, place } = connectGitHub({ token: 't', apiUrl, repository: 'a/b', job: 'j' });
    const body = { ...place, issue_number: 1, body: 'x' };
    await Promise.all([1, 2, 3].map(() => octokit.rest.issues.createComment(body)));
    expect(most).toBe(1);
  });

  it('gives up on an answer that does not come, and tries again', async () => {
    let count = 0;
    const server = createServer((_, response) => {
      count += 1;
      if (count > 1) response.writeHead(200, { 'content-type': 'application/json' }).end('{"status":"completed"}');
    });
    const apiUrl = await listen(server);
    const options = { token: 't', apiUrl, repository: 'a/b', job: 'j', timeoutSeconds: 0.2 };
    const { octokit, place, calls } = connectGitHub(options);
    await octokit.rest.actions.getWorkflowRun({ ...place, run_id: 1 });
    expect(calls()).toEqual({ requests: 2, repeated: 1, waitedSeconds: 1 });
  });

  it('reports a request that got no answer without a status', async () => {
    const apiUrl = await listen(createServer((request) => request.socket.destroy()));
    const { octokit, place } = connectGitHub({ token: 't', apiUrl, repository: 'a/b', job: 'j', patienceSeconds: 0 });
    const reading = octokit.rest.actions.getWorkflowRun({ ...place, run_id: 1 });
    const error: unknown = await reading.catch((e: unknown) => e);
    expect(error).toMatchObject({ name: 'GitHubRequestError', status: undefined });
    expect(String(error)).toMatch(/actions\/runs\/\{run_id\} got no answer: (?!.*500)/);
  });

  it('stops waiting when it is cancelled', async () => {
    const cancel = new AbortController();
    const fault = { operation: '*', status: 502, headers: { 'retry-after': '60' } };
    const { github } = await connected({ faults: [fault] }, { signal: cancel.signal });
    const reading = readPullRequest(github, 7);
    setTimeout(() => cancel.abort(), 100);
    await expect(reading).rejects.toThrow(/abort/);
  });

  it.each(['', 'octo', 'octo/models/x', '/models'])('refuses repository "%s"', (repository) => {
    expect(() => connectGitHub({ token: 't', apiUrl: 'http://x', repository, job: 'j' })).toThrow(
      'expected OWNER/NAME',
    );
  });
});

describe('secondsToWait', () => {
  const refuse = (status: number, headers: Record<string, string> = {}, message = '') =>
    Object.assign(new Error(message), { status, response: { headers } });

  it.each([
    ['a server error', refuse(503), 4],
    ['a server error that says when', refuse(503, { 'retry-after': '9' }), 9],
    ['a primary limit', refuse(403, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '1030' }), 30],
    ['a primary limit that is over', refuse(429, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '999' }), 1],
    ['a secondary limit without a time', refuse(403, {}, 'You have exceeded a secondary rate limit'), 60],
    ['429 without a time', refuse(429), 60],
    ['a Retry-After that is a date', refuse(429, { 'retry-after': 'Wed, 21 Oct 2026 07:28:00 GMT' }), 60],
    ['a missing permission', refuse(403, { 'x-ratelimit-remaining': '900' }, 'Resource not accessible'), undefined],
    ['a mistake', refuse(422), undefined],
    ['a bug', new TypeError('x is undefined'), undefined],
    ['no error', 'text', undefined],
  ])('%s', (_, error, expected) => {
    expect(secondsToWait(error, 2, 1_000_000)).toBe(expected);
  });
});
