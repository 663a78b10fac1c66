import { describe, expect, it } from 'vitest';
import { postComment, readComment } from '../../../action/github/sticky-comment.ts';
import { asked, BOT, connected } from './connect-fake-github.ts';

const MARKER = '<!-- davit:pull-request -->';
const post = (body: string) => ({ pull: 7, marker: MARKER, body });
const chatter = (count: number) => Array.from({ length: count }, (_, i) => ({ on: 7, login: 'alice', body: `${i}` }));

describe('postComment', () => {
  it('creates it once, updates it, and writes nothing when it is the same', async () => {
    const { github, world, fake } = await connected();
    expect((await postComment(github, post('one'))).done).toBe('created');
    expect((await postComment(github, post('two'))).done).toBe('updated');
    const { done, url } = await postComment(github, post('two'));
    expect(done).toBe('unchanged');
    expect(url).toMatch(/#issuecomment-\d+$/);
    expect(world.comments.map((c) => c.body)).toEqual([`${MARKER}\ntwo`]);
    expect(asked(fake).filter((a) => a.startsWith('update'))).toHaveLength(1);
    expect(await readComment(github, 7, MARKER)).toBe('two');
  });

  it('finds it on the third page', async () => {
    const ours = { on: 7, login: BOT, body: `${MARKER}\nold` };
    const { github, world, fake } = await connected({ comments: [...chatter(250), ours, ...chatter(20)] });
    expect((await postComment(github, post('new'))).done).toBe('updated');
    expect(world.comments).toHaveLength(271);
    expect(world.comments[250]!.body).toBe(`${MARKER}\nnew`);
    expect(asked(fake)).toEqual([...Array<string>(3).fill('issueOrPullRequest 200'), 'updateIssueComment 200']);
  });

  it.each([
    ['a person', 'mallory'],
    ['a person with the name of our app', 'github-actions'],
    ['another app', 'mallory[bot]'],
  ])('never touches the same text of %s', async (_, login) => {
    const theirs = { on: 7, login, body: `${MARKER}\nall well` };
    const { github, world } = await connected({ comments: [theirs] });
    expect((await postComment(github, post('one fails'))).done).toBe('created');
    expect(world.comments.map((c) => [c.author.login, c.body, c.minimized])).toEqual([
      [login, theirs.body, false],
      [BOT, `${MARKER}\none fails`, false],
    ]);
  });

  it('takes a person for the author when the token is a person’s', async () => {
    const tokens = { mine: { login: 'alice', permissions: { 'pull-requests': 'write' } } } as const;
    const { connect, world } = await connected({ tokens, comments: [{ on: 7, login: 'alice', body: `${MARKER}\n1` }] });
    expect((await postComment(connect('mine'), post('2'))).done).toBe('updated');
    expect(world.comments).toHaveLength(1);
  });

  it('minimises its older ones, once, and comments only that begin with the whole marker are its own', async () => {
    const ours = (body: string) => ({ on: 7, login: BOT, body });
    const comments = [ours(`${MARKER}\n1`), ours(`${MARKER}\n2`), ours(`quoted:\n${MARKER}\n`), ours(`${MARKER}x\n3`)];
    const { github, world, fake } = await connected({ comments });
    await postComment(github, post('3'));
    await postComment(github, post('4'));
    expect(world.comments.map((c) => c.minimized)).toEqual([true, false, false, false]);
    expect(world.comments[1]!.body).toBe(`${MARKER}\n4`);
    expect(asked(fake).filter((a) => a.startsWith('minimize'))).toHaveLength(1);
  });

  it('leaves one visible comment when the answer to its creation got lost', async () => {
    const lost = { operation: 'addComment', status: 502, headers: { 'retry-after': '0' }, done: true };
    const { github, world } = await connected({ faults: [lost] });
    await postComment(github, post('one'));
    expect(world.comments).toHaveLength(2);
    await postComment(github, post('two'));
    expect(world.comments.map((c) => [c.body.slice(MARKER.length + 1), c.minimized])).toEqual([
      ['one', true],
      ['two', false],
    ]);
  });

  it('passes any text through as it is', async () => {
    const body = '::set-output name=x::y\n${{ secrets.X }} </details> \u001b[31m \u202E 🚢 "quoted" \\n';
    const { github, world } = await connected();
    await postComment(github, post(body));
    expect(world.comments[0]!.body).toBe(`${MARKER}\n${body}`);
  });

  it('is told when the text is too long, or there is no such pull request', async () => {
    const { github } = await connected();
    await expect(postComment(github, post('x'.repeat(65_536)))).rejects.toThrow(/Body is too long \(maximum is 65536/);
    await expect(postComment(github, { ...post('x'), pull: 99 })).rejects.toThrow(/NOT_FOUND/);
  });
});
