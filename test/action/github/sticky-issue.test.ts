import { describe, expect, it } from 'vitest';
import { closeIssue, postIssue } from '../../../action/github/sticky-issue.ts';
import { asked, BOT, connected } from './connect-fake-github.ts';

const MARKER = '<!-- davit:drift production -->';
const issue = (body: string) => ({ marker: MARKER, title: 'production has drifted', body });

describe('the issue of an environment', () => {
  it('is opened, updated, left alone and closed, and opened anew the next time', async () => {
    const { github, world } = await connected();
    expect(await postIssue(github, issue('one'))).toEqual({ number: 8, done: 'created' });
    expect(await postIssue(github, issue('two'))).toEqual({ number: 8, done: 'updated' });
    expect(await postIssue(github, issue('two'))).toEqual({ number: 8, done: 'unchanged' });
    expect(await closeIssue(github, MARKER, 'It runs as merged again')).toBe(8);
    expect(world.issues.map((i) => [i.state, i.body])).toEqual([['closed', `${MARKER}\ntwo`]]);
    expect(world.comments.map((c) => [c.on, c.body])).toEqual([[8, 'It runs as merged again']]);
    expect(await closeIssue(github, MARKER, 'again')).toBeUndefined();
    expect((await postIssue(github, issue('three'))).number).toBe(9);
  });

  it('is found on the second page, and the issue of somebody else or another environment never', async () => {
    const theirs = { number: 1, login: 'mallory', title: 't', body: `${MARKER}\nforged` };
    const others = Array.from({ length: 120 }, (_, i) => ({ number: 10 + i, login: BOT, title: 't', body: '' }));
    const ours = { number: 5, login: BOT, title: 't', body: `${MARKER}\nold` };
    const { github, world, fake } = await connected({ issues: [theirs, ours, ...others] });
    expect(await postIssue(github, issue('new'))).toEqual({ number: 5, done: 'updated' });
    expect(world.issues[0]!.body).toBe(theirs.body);
    expect(asked(fake)).toContain('issues/update 200');
  });
});
