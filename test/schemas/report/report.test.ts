import { describe, expect, it } from 'vitest';
import { parseReport, type Report } from '../../../schemas/report/report.ts';

const REPORT: Report = {
  report_version: 3,
  base: 'a'.repeat(40),
  head: 'b'.repeat(40),
  program: null,
  stages: [{ stage: 'validate', result: 'success', why: null }],
  pull_request: null,
  environments: ['local'],
  diagnostics: [],
  endpoints: [
    {
      endpoint: 'iris',
      change: 'added',
      because: [{ path: 'endpoints/iris.yaml', change: 'added' }],
      lock: 'up-to-date',
      computed_lock: null,
      diagnostics: [{ code: 'bad-value', severity: 'warning', file: 'a', line: 1, column: 1, message: 'm' }],
      entities: [],
      previews: [{ environment: 'local', plan: null, outage: null, fingerprint: null }],
      outage: null,
    },
  ],
};

describe('parseReport()', () => {
  it('gives back what was written', () => {
    expect(parseReport(JSON.stringify(REPORT))).toEqual(REPORT);
  });

  it.each([
    ['no JSON', '{'],
    ['another version', JSON.stringify({ ...REPORT, report_version: 2 })],
    ['a field that it does not know', JSON.stringify({ ...REPORT, comment: 1 })],
    ['a base that is no commit', JSON.stringify({ ...REPORT, base: '--output=x' })],
    ['a code that does not exist', JSON.stringify(REPORT).replace('bad-value', '**bold**')],
    ['a place that is no number', JSON.stringify(REPORT).replace('"line":1', '"line":"1 |"')],
    ['too many endpoints', JSON.stringify({ ...REPORT, endpoints: Array(10_001).fill(REPORT.endpoints[0]) })],
  ])('refuses %s', (_, text) => {
    expect(() => parseReport(text)).toThrow('it is not in the format of this version of Davit');
  });

  it('refuses more than it would want to read', () => {
    expect(() => parseReport(' '.repeat((32 << 20) + 1))).toThrow(RangeError);
  });
});
