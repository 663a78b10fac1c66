import { describe, expect, it } from 'vitest';
import { type Annotation, readReview, writeCheckRun } from '../../../action/github/check-run.ts';
import { asked, connected, SHA } from './connect-fake-github.ts';

const annotation = (line: number, message = 'too small'): Annotation => ({
  path: 'endpoints/iris.yaml',
  line,
  column: 3,
  level: 'failure',
  title: 'bad-value',
  message,
});
const run = (annotations: readonly Annotation[], text = 'fingerprints') =>
  ({ sha: SHA, conclusion: 'failure', title: '3 endpoints', summary: 'One fails', text, annotations }) as const;
const many = (count: number) => Array.from({ length: count }, (_, i) => annotation(i + 1));

describe('writeCheckRun', () => {
  it.each([
    [0, ['checks/create 201']],
    [50, ['checks/create 201']],
    [51, ['checks/create 201', 'checks/update 200']],
    [120, ['checks/create 201', 'checks/update 200', 'checks/update 200']],
  ])('writes %d annotations, 50 a request', async (count, requests) => {
    const { github, world, fake } = await connected();
    await writeCheckRun(github, run(many(count)));
    expect(asked(fake)).toEqual(requests);
    const [written] = world.checkRuns;
    expect(written!.annotations.map((a) => a['start_line'])).toEqual(many(count).map((a) => a.line));
    expect([written!.status, written!.conclusion, written!.text]).toEqual(['completed', 'failure', 'fingerprints']);
  });

  it('is not concluded before its last annotation is there', async () => {
    const gone = { operation: 'checks/update', status: 404, message: 'Not Found' };
    const { github, world } = await connected({ faults: [gone] });
    await expect(writeCheckRun(github, run(many(60)))).rejects.toThrow(/404/);
    expect(world.checkRuns.map((r) => [r.status, r.conclusion])).toEqual([['in_progress', null]]);
    expect((await readReview(github, SHA)).review).toBeUndefined();
  });

  it('shortens what GitHub would refuse, and keeps characters whole', async () => {
    const { github, world } = await connected();
    await writeCheckRun(github, run([{ ...annotation(0, '🚢'.repeat(100_000)), column: 0, title: 'é'.repeat(500) }]));
    const [written] = world.checkRuns[0]!.annotations;
    expect(Buffer.byteLength(String(written!['message']))).toBeLessThanOrEqual(65_536);
    expect(written!['message']).toMatch(/^(🚢)+ …$/u);
    expect(written!['title']).toMatch(/^é+ …$/);
    expect([written!['start_line'], written!['start_column']]).toEqual([1, 1]);
  });
});

describe('readReview', () => {
  it('reads back the newest that it wrote', async () => {
    const { github } = await connected();
    await writeCheckRun(github, run([], 'first'));
    await writeCheckRun(github, { ...run([], 'second'), conclusion: 'success' });
    const { review } = await readReview(github, SHA);
    expect([review?.text, review?.conclusion]).toEqual(['second', 'success']);
  });

  it('believes no other app, no other name, no other commit and no job of the same name', async () => {
    const { github } = await connected({
      checkRuns: [
        { sha: SHA, app: 'mallory-app', text: 'forged', externalId: 'davit-review' },
        { sha: SHA, name: 'davit ', text: 'forged', externalId: 'davit-review' },
        { sha: 'b'.repeat(40), text: 'of another commit', externalId: 'davit-review' },
        { sha: SHA, externalId: '8f2c7a3e-0d1b-5c6a-9e4f-1a2b3c4d5e6f' },
        { sha: SHA },
      ],
    });
    expect((await readReview(github, SHA)).review).toBeUndefined();
  });

  it("takes what repeats a fork's report for no review", async () => {
    const { github } = await connected();
    await writeCheckRun(github, { ...run([], 'ours'), conclusion: 'success' });
    await writeCheckRun(github, { ...run([], 'claimed'), conclusion: 'action_required', kind: 'claim' });
    expect((await readReview(github, SHA)).review?.text).toBe('ours');
  });

  it('takes the check run of a cancelled run, of a merge queue and of an outdated review for no review', async () => {
    const { github } = await connected();
    await writeCheckRun(github, { ...run([], 'older'), conclusion: 'success', kind: 'outdated' });
    await writeCheckRun(github, { ...run([], 'ours'), conclusion: 'success' });
    await writeCheckRun(github, { ...run([], 'cut off'), conclusion: 'cancelled' });
    await writeCheckRun(github, { ...run([], 'queued'), conclusion: 'success', kind: 'queue' });
    expect(await readReview(github, SHA)).toMatchObject({ review: { text: 'ours' }, outdated: undefined });
    await writeCheckRun(github, { ...run([], 'newer'), conclusion: 'action_required', kind: 'outdated' });
    expect(await readReview(github, SHA)).toMatchObject({ review: { text: 'ours' }, outdated: { text: 'newer' } });
  });

  it('finds it behind a hundred others of the name', async () => {
    const others = Array.from({ length: 130 }, () => ({ sha: SHA, app: 'other', text: 'theirs' }));
    const { github } = await connected({
      checkRuns: [{ sha: SHA, text: 'ours', externalId: 'davit-review' }, ...others],
    });
    expect((await readReview(github, SHA)).review?.text).toBe('ours');
  });
});
