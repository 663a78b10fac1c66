import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { buildForCandidates, buildIfReviewed } from '../../../action/deploy/build-images.ts';
import type { ReviewComparison } from '../../../action/deploy/compare-with-review.ts';
import type { Candidate } from '../../../action/deploy/select-deployments.ts';
import type { Fingerprint } from '../../../schemas/report/report.ts';

const candidates = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => ({ name }) as Candidate);
const subjectOf = ({ name }: Candidate) => ({ name, digest: `sha256:${name}` });

it('builds for four endpoints at a time, and one that never ends holds back no other and not the job', async () => {
  const deadline = new AbortController();
  const begun: string[] = [];
  const build = async (candidate: Candidate, signal: AbortSignal) => {
    begun.push(candidate.name);
    if (candidate.name === 'b') throw new Error('no space left');
    if ('ac'.includes(candidate.name)) await sleep(60_000, undefined, { signal });
    if (candidate.name === 'f') deadline.abort();
    return [subjectOf(candidate)];
  };
  const run = { signal: new AbortController().signal, deadline: deadline.signal, build };
  const { subjects, failures } = await buildForCandidates(candidates, run);
  expect(begun.slice(0, 4)).toEqual(['a', 'b', 'c', 'd']);
  expect(subjects.map((s) => s.name)).toEqual(['d', 'e', 'f']);
  expect(failures.toSorted()).toEqual([
    expect.stringContaining('a: the time for building images was over'),
    'b: no space left',
    expect.stringContaining('c: the time for building images was over'),
  ]);
});

it('ends with the run', async () => {
  const signal = AbortSignal.abort(new Error('cancelled'));
  const run = { signal, deadline: new AbortController().signal, build: () => Promise.resolve([]) };
  await expect(buildForCandidates(candidates, run)).rejects.toThrow('cancelled');
});

const FINGERPRINT: Fingerprint = { digest: 'e'.repeat(64), parts: { lock: 'f'.repeat(16) } };
const OTHER: Fingerprint = { digest: 'd'.repeat(64), parts: { lock: 'd'.repeat(16) } };
const text = JSON.stringify({ reviewed_version: 1, endpoints: { iris: { staging: FINGERPRINT } } });
const pull = { number: 7 } as ReviewComparison['review']['pull'];

it.each<[string, ReviewComparison['review'], Fingerprint, string, RegExp | undefined]>([
  ['the reviewed plan', { pull, text }, FINGERPRINT, 'push', undefined],
  ['another plan', { pull, text }, OTHER, 'push', /changed since the review of pull request #7/],
  ['no review', { pull, text: undefined }, FINGERPRINT, 'push', /#7 has no plan of iris for staging/],
  ['no pull request', { pull: undefined, text: undefined }, FINGERPRINT, 'push', /pushed without a pull request/],
  ['no pull request, by name', { pull: undefined, text: undefined }, FINGERPRINT, 'workflow_dispatch', undefined],
])('builds an image to attest only where deploy would deploy it: %s', async (_, review, current, eventName, why) => {
  const deploying = { job: { runner: { eventName } }, request: { environment: { name: 'staging' } } };
  const said: string[] = [];
  const subjects = await buildIfReviewed('iris', {
    review,
    deploying: deploying as unknown as ReviewComparison['deploying'],
    why: 'asked',
    readFingerprint: () => Promise.resolve(current),
    say: (line) => void said.push(line),
    build: () => Promise.resolve([subjectOf({ name: 'iris' } as Candidate)]),
  });
  expect(subjects).toHaveLength(why === undefined ? 1 : 0);
  expect(said).toEqual(why === undefined ? [] : [expect.stringMatching(why)]);
});
