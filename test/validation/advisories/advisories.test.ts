import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { validateWithOwnLock } from '../../../app/validate-endpoints.ts';
import type { Policy } from '../../../schemas/environment/policy.ts';
import type { LockedPackage } from '../../../schemas/lock/lock.ts';
import { readEndpoint } from '../../../schemas/read-project.ts';
import { CODE_FOLDER } from '../../../system/code.ts';
import { SILENT } from '../../../system/progress.ts';
import { type Advisory, findVulnerabilities, isAffected } from '../../../validation/advisories/advisory.ts';
import { type AdvisoryOptions, checkAdvisories } from '../../../validation/advisories/check-advisories.ts';
import { compareVersions, parseVersion } from '../../../python/compare-versions.ts';
import { refreshAdvisories } from '../../../validation/advisories/database.ts';
import { resolvePolicy } from '../../../validation/policy.ts';
import { makeSubject } from '../../../validation/subject.ts';
import { makeEndpoint } from '../throw-away-project.ts';

const record = (id: string, more: Partial<Advisory>): Advisory => ({
  id,
  aliases: [],
  level: null,
  summary: '',
  versions: [],
  ranges: [],
  ...more,
});

afterEach(() => void vi.unstubAllEnvs());

test('versions are ordered as PEP 440 says', () => {
  const ordered =
    '1.dev0 1.0.dev456 1.0a1 1.0a2.dev456 1.0a12.dev456 1.0a12 1.0b1.dev456 1.0b2 1.0b2.post345.dev456 1.0b2.post345 1.0rc1.dev456 1.0rc1 1.0 1.0.post456.dev34 1.0.post456 1.0.15 1.1.dev1 1.1 1.10 2!0.1';
  const parsed = ordered.split(' ').map((text) => parseVersion(text)!);
  for (const [i, a] of parsed.entries())
    for (const [j, b] of parsed.entries()) expect(Math.sign(compareVersions(a, b))).toBe(Math.sign(i - j));
  const same = [
    ['1.0', '1.0.0'],
    ['1.0a1', '1.0.ALPHA-1'],
    ['1.0-1', '1.0.post1'],
    ['v1.0rc1', '1.0c1'],
    ['2.1.0+cpu', '2.1.0'],
  ] as const;
  for (const [a, b] of same) expect([a, compareVersions(parseVersion(a)!, parseVersion(b)!)]).toEqual([a, 0]);
  for (const wrong of ['', 'latest', '1.0.x', '1..0', '1.0+']) expect(parseVersion(wrong)).toBeUndefined();
});

test.each([
  ['1.0', [{ introduced: '0' }, { fixed: '1.1' }], true],
  ['1.1', [{ introduced: '0' }, { fixed: '1.1' }], false],
  ['1.1rc1', [{ introduced: '0' }, { fixed: '1.1' }], true],
  ['1.1+cpu', [{ introduced: '0' }, { last_affected: '1.1' }], true],
  ['1.1.post1', [{ introduced: '0' }, { last_affected: '1.1' }], false],
  ['2.5', [{ introduced: '1.0' }, { fixed: '1.5' }, { introduced: '2.0' }, { fixed: '2.6' }], true],
  ['1.7', [{ introduced: '2.0' }, { fixed: '2.6' }, { introduced: '1.0' }, { fixed: '1.5' }], false],
  ['0.9', [{ introduced: '1.0' }], false],
  ['1.0', [{ introduced: '0' }, { fixed: 'not a version' }], true],
  ['not a version', [{ introduced: '0' }, { fixed: '1.1' }], true],
])('isAffected() evaluates %s in %j', (version, range, affected) => {
  expect(isAffected(version, record('X', { ranges: [range] }))).toBe(affected);
});

test('findVulnerabilities() joins the records of one vulnerability, and names the oldest later fix', () => {
  const all = { ranges: [[{ introduced: '0' }, { fixed: '0.9' }, { introduced: '1.0' }, { fixed: '1.4' }]] };
  const records = [
    record('PYSEC-2024-1', { ...all, aliases: ['CVE-2024-1'] }),
    record('GHSA-x', { ...all, aliases: ['CVE-2024-1'], level: 'high', summary: 'Runs code' }),
    record('GHSA-other', { versions: ['1.2'] }),
    record('GHSA-elsewhere', { versions: ['1.3'] }),
  ];
  expect(findVulnerabilities('1.2', records)).toEqual([
    { id: 'CVE-2024-1', aliases: ['GHSA-x', 'PYSEC-2024-1'], level: 'high', summary: 'Runs code', fixed: '1.4' },
    { id: 'GHSA-other', aliases: [], level: null, summary: '', fixed: undefined },
  ]);
});

/** Makes an export of OSV, as Python's zipfile writes it. */
function writeExport(records: readonly unknown[]): string {
  const file = join(mkdtempSync(join(tmpdir(), 'osv-')), 'all.zip');
  const script =
    'import json,sys,zipfile\nwith zipfile.ZipFile(sys.argv[1],"w") as z:\n for i,r in enumerate(json.load(sys.stdin)): z.writestr(f"{i}.json", r if isinstance(r,str) else json.dumps(r))';
  execFileSync('python3', ['-c', script, file], { input: JSON.stringify(records) });
  return file;
}

const osv = (id: string, name: string, more: object = {}) => ({
  id,
  affected: [
    {
      package: { ecosystem: 'PyPI', name },
      ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: '2.0' }] }],
    },
  ],
  ...more,
});

async function check(
  packages: Readonly<Record<string, string>>,
  isReviewed = false,
  environments: Policy[] = [],
  built?: LockedPackage['built'],
  model: Pick<AdvisoryOptions, 'requirements'> = {},
) {
  const endpoint = makeEndpoint('e', { m: 'iris/1' });
  const locked = Object.entries(packages).map(([name, version]) => ({ name, version, hashes: [], built }));
  const { summary, diagnostics } = await checkAdvisories(makeSubject(endpoint, endpoint.entities[0]!), locked, {
    policy: resolvePolicy(environments),
    isReviewed,
    ...model,
  });
  return { summary, found: diagnostics.map((d) => [d.severity, d.code, d.message, d.hint]) };
}

test('checkAdvisories() compares locked packages with the database, and the environment decides the severity', async () => {
  vi.stubEnv('DAVIT_CACHE', mkdtempSync(join(tmpdir(), 'cache-')));
  expect((await check({ numpy: '1.0' })).summary).toContain('not checked: there is no database');
  await refreshAdvisories(
    writeExport([
      osv('GHSA-1', 'Scikit_Learn', {
        database_specific: { severity: 'HIGH' },
        aliases: ['CVE-1'],
        summary: 'Runs code',
      }),
      osv('GHSA-2', 'numpy', { withdrawn: '2024-01-01T00:00:00Z' }),
      osv('MAL-1', 'evil'),
      { id: 'GHSA-3', affected: [{ package: { ecosystem: 'npm', name: 'numpy' }, versions: ['1.0'] }] },
      'not JSON',
    ]),
    {},
  );
  const packages = { 'scikit-learn': '1.9', numpy: '1.0', pandas: '1.0' };
  const finding = [
    'vulnerable-package',
    'Cannot trust scikit-learn 1.9 of iris 1: CVE-1 (GHSA-1), severity high: Runs code',
    'Raise the requirement, or run npx davit lock --upgrade e: scikit-learn 2.0 has the fix',
  ];
  const { summary, found } = await check(packages);
  expect(summary).toMatch(/^1 known vulnerability in 3 packages \(advisories of \d{4}-\d\d-\d\d\)$/);
  expect(found).toEqual([['warning', ...finding]]);
  const built = { from: `sha256:${'a'.repeat(64)}`, with: [{ name: 'scikit-learn', version: '1.9', hashes: [] }] };
  expect((await check({ docopt: '1', numpy: '1.0' }, false, [], built)).found).toEqual([['warning', ...finding]]);
  for (const [policy, severity] of [
    ['error', 'error'],
    ['high', 'error'],
    ['critical', 'warning'],
  ] as const) {
    vi.stubEnv('DAVIT_ADVISORIES', policy);
    expect([policy, (await check(packages)).found]).toEqual([policy, [[severity, ...finding]]]);
  }
  expect((await check({ evil: '1.0' })).found[0]?.[0]).toBe('error');
  const pinned = { requirements: [{ name: 'scikit-learn', pin: '1.9' }] };
  expect((await check(packages, false, [], undefined, pinned)).found[0]?.[3]).toBe('Raise the requirement: scikit-learn 2.0 has the fix'); // prettier-ignore
  vi.stubEnv('DAVIT_ADVISORIES', undefined);
  for (const vulnerabilities of ['ignore', 'warning', 'error'] as const) {
    const expected = vulnerabilities === 'ignore' ? [] : [[vulnerabilities, ...finding]];
    expect((await check(packages, false, [{ vulnerabilities }])).found).toEqual(expected);
  }
  vi.stubEnv('DAVIT_ADVISORIES_IGNORED', 'CVE-1');
  expect((await check(packages)).summary).toContain('1 ignored');
});

/** From the examples of the specification and of NVD. */
const LEVELS = {
  'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H': 'critical', // 9.8
  'CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H': 'critical', // 9.9
  'CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H/E:P': 'high', // 7.5
  'CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N': 'moderate', // 6.1
  'CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:N/I:N/A:L': 'low', // 3.7
  'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N': 'low', // 0.0
  'CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N': 'unknown',
  'CVSS:3.1/AV:N/AC:L': 'unknown',
  '': 'unknown',
};

test('the vector of an advisory decides its severity', async () => {
  vi.stubEnv('DAVIT_CACHE', mkdtempSync(join(tmpdir(), 'cache-')));
  const vectors = Object.keys(LEVELS);
  const records = vectors.map((score, i) => osv(`GHSA-${i}`, `p${i}`, { severity: [{ type: 'CVSS_V3', score }] }));
  await refreshAdvisories(writeExport(records), {});
  const { found } = await check(Object.fromEntries(vectors.map((_, i) => [`p${i}`, '1.0'])));
  const levels = vectors.map((vector, i) => {
    const message = found.find(([, , text]) => text?.includes(`GHSA-${i},`))?.[2] ?? '';
    return [vector, /severity (\w+)/.exec(message)?.[1]];
  });
  expect(Object.fromEntries(levels)).toEqual(LEVELS);
});

test('a policy without a database is never silent, and a wrong word is refused', async () => {
  vi.stubEnv('DAVIT_CACHE', mkdtempSync(join(tmpdir(), 'cache-')));
  const download = vi.fn(() => Promise.reject(new Error('no internet')));
  vi.stubGlobal('fetch', download);
  vi.stubEnv('DAVIT_ADVISORIES', 'high');
  const all = await Promise.all([check({ numpy: '1.0' }), check({ numpy: '1.0' }), check({ numpy: '1.0' }, true)]);
  expect(all.flatMap(({ found }) => found.map(([severity, code]) => [severity, code]))).toEqual([
    ['error', 'advisories-missing'],
    ['error', 'advisories-missing'],
    ['warning', 'advisories-missing'],
  ]);
  expect(download).toHaveBeenCalledOnce(); // or every endpoint would wait for it
  const place = { root: CODE_FOLDER, endpoints: 'endpoints' };
  const iris = (await readEndpoint(place, 'iris')).value!;
  const asked = { place, progress: SILENT, signal: new AbortController().signal };
  const { diagnostics } = await validateWithOwnLock(iris, asked, 'lock'); // as a deployment does
  expect(diagnostics.map((d) => [d.severity, d.code])).toEqual([['warning', 'advisories-missing']]);
  vi.unstubAllGlobals();
  expect(() => resolvePolicy([], { DAVIT_ADVISORIES: 'off' })).toThrow(
    'expected warning, error, low, moderate, high, critical',
  );
  await expect(refreshAdvisories(join(import.meta.dirname, 'advisories.test.ts'), {})).rejects.toThrow('not an export');
});
