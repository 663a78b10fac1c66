import { describe, expect, it } from 'vitest';
import {
  compareFingerprints,
  type FingerprintInputs,
  makeFingerprint,
  shortenFingerprint,
} from '../../review/fingerprint.ts';
import { parseReviewedPlans, renderReviewedPlans, REVIEWED_CHARACTERS } from '../../review/reviewed-plans.ts';
import type { Lock } from '../../schemas/lock/lock.ts';
import type { Fingerprint } from '../../schemas/report/report.ts';
import { makeEndpoint, makeReport, rolling } from './reports.ts';

const LOCK: Lock = { lock_version: 1, endpoint: 'iris', entities: {}, virtualenvs: {} };
const REVISION = 'davit:index:Endpoint$davit:local:Revision::iris-1-3f9c2a71d0';
const ROUTE = 'davit:index:Endpoint$davit:local:Route::iris';
const PARTS: FingerprintInputs = {
  lock: LOCK,
  program: 'a'.repeat(64),
  resources: { [REVISION]: 'b'.repeat(64), [ROUTE]: 'c'.repeat(64) },
};

describe('makeFingerprint()', () => {
  it('does not depend on the order in which resources come', () => {
    const turned = { [ROUTE]: 'c'.repeat(64), [REVISION]: 'b'.repeat(64) };
    expect(makeFingerprint({ ...PARTS, resources: turned }).digest).toBe(makeFingerprint(PARTS).digest);
    expect(shortenFingerprint(makeFingerprint(PARTS))).toMatch(/^[0-9a-f]{12}$/);
  });
});

describe('compareFingerprints()', () => {
  it.each<readonly [string, Partial<FingerprintInputs>, readonly string[]]>([
    ['nothing', {}, []],
    ['the lock', { lock: { ...LOCK, endpoint: 'other' } }, ['the lock differs']],
    ['the program', { program: 'd'.repeat(64) }, ['the program differs']],
    [
      'what a resource is made from',
      { resources: { ...PARTS.resources, [ROUTE]: 'd'.repeat(64) } },
      ['Route iris differs'],
    ],
    [
      'which resources there are',
      { resources: { [ROUTE]: 'c'.repeat(64), 'kubernetes:core/v1:Service::a': 'b'.repeat(64) } },
      ['Revision iris-1-3f9c2a71d0 is gone', 'Service a is new'],
    ],
  ])('tells when %s differs', (_, change, told) => {
    expect(compareFingerprints(makeFingerprint(PARTS), makeFingerprint({ ...PARTS, ...change }))).toEqual(told);
  });

  it('never takes two for the same because their parts are not known, or begin alike', () => {
    const [one, other] = [makeFingerprint(PARTS), makeFingerprint({ ...PARTS, program: 'd'.repeat(64) })];
    expect(compareFingerprints({ ...one, parts: {} }, other)).toEqual(['something differs']);
    expect(compareFingerprints({ ...one, parts: other.parts }, other)).toEqual(['something differs']);
  });
});

describe('renderReviewedPlans()', () => {
  const report = (count: number, name = (i: number) => `endpoint-${i}`) =>
    makeReport(
      Array.from({ length: count }, (_, i) =>
        makeEndpoint(name(i), {
          previews: ['staging', 'production'].map((environment) => ({
            ...rolling('iris', environment),
            fingerprint: makeFingerprint({ ...PARTS, program: String(i).padStart(64, '0') }),
          })),
        }),
      ),
    );
  const expected = (i: number) => makeFingerprint({ ...PARTS, program: String(i).padStart(64, '0') });

  it('keeps every fingerprint, with its parts where there is room', () => {
    const few = parseReviewedPlans(`Words before\n${renderReviewedPlans(report(3))}\nand after`);
    expect(few?.find('endpoint-2', 'production')).toEqual(expected(2));
    const line = renderReviewedPlans(report(250));
    expect(line.length).toBeLessThanOrEqual(REVIEWED_CHARACTERS);
    expect(parseReviewedPlans(line)?.find('endpoint-249', 'staging')).toEqual({
      digest: expected(249).digest,
      parts: {},
    });
    expect(() => renderReviewedPlans(report(1000))).toThrow('change fewer endpoints in one pull request');
  });

  it('knows nothing of what nobody has reviewed, whatever it is called', () => {
    const reviewed = parseReviewedPlans(renderReviewedPlans(report(1)));
    for (const name of ['other', '__proto__', 'constructor', 'toString'])
      for (const environment of ['staging', '__proto__', 'constructor']) {
        expect(reviewed?.find(name, environment)).toBeUndefined();
        if (environment !== 'staging') expect(reviewed?.find('endpoint-0', environment)).toBeUndefined();
      }
  });

  it.each([
    ['nothing', ''],
    ['no JSON', '{"reviewed_version":1'],
    ['another version', '{"reviewed_version":2,"endpoints":{}}'],
    ['more than it knows', '{"reviewed_version":1,"endpoints":{},"more":1}'],
    ['a fingerprint that is none', '{"reviewed_version":1,"endpoints":{"a":{"b":{"digest":"x"}}}}'],
  ])('does not read %s', (_, text) => {
    expect(parseReviewedPlans(text)).toBeUndefined();
  });

  it('is one line whatever names have in them', () => {
    const hostile = 'a\n{"reviewed_version":1,"endpoints":{"b":{"c":{"digest":"' + '0'.repeat(64) + '"}}}}\u2028';
    const line = renderReviewedPlans(report(1, () => hostile));
    expect(line.split('\n')).toHaveLength(1);
    expect(parseReviewedPlans(line)?.find('b', 'c')).toBeUndefined();
    expect((parseReviewedPlans(line)?.find(hostile, 'staging') as Fingerprint).digest).toBe(expected(0).digest);
  });
});
