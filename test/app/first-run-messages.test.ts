import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { auditEndpoints } from '../../app/audit-endpoints.ts';
import { describeEndpoint } from '../../app/describe-image.ts';
import { explainSystemError } from '../../app/explain-system-error.ts';
import { formatFiles } from '../../app/format-files.ts';
import type { ForeignEndpoint } from '../../app/import/foreign-endpoint.ts';
import { shapeBody } from '../../app/import/shape-body.ts';
import { listOf, makeMap, mapOf } from '../../app/import/source-node.ts';
import { openLocalTarget } from '../../app/targets/local-target.ts';
import { readEndpoint } from '../../schemas/read-project.ts';
import { SILENT } from '../../system/progress.ts';

let root = '';
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'davit-first-'));
  await mkdir(join(root, 'endpoints'));
  const text = 'name: iris\nconfig:\n  served_entities:\n    - { entity_name: iris, entity_version: "1" }\n';
  await writeFile(join(root, 'endpoints', 'iris.yaml'), text);
});
afterAll(() => rm(root, { recursive: true }));
afterEach(() => void vi.unstubAllEnvs());

const place = () => ({ root, endpoints: 'endpoints' });

it.each([
  [
    'EACCES',
    'mkdir',
    '/n',
    'Cannot make the folder /n: you have no permission. Set DAVIT_CACHE to a folder that you can write to',
  ],
  [
    'EACCES',
    'open',
    '/p/x',
    'Cannot open /p/x: you have no permission, expected a file or folder that you can read and write',
  ],
  [
    'EROFS',
    'unlink',
    '/n/cache/x',
    'Cannot remove /n/cache/x: the disk is read-only. Set DAVIT_CACHE to a folder that you can write to',
  ],
  [
    'ENOSPC',
    'write',
    undefined,
    'Cannot write a file: no space is left on the disk; npx davit cache --prune frees what was not used for 30 days',
  ],
  ['ECONNREFUSED', 'connect', undefined, undefined],
])('explains %s of the file system', (code, syscall, path, expected) => {
  vi.stubEnv('DAVIT_CACHE', '/n/cache');
  const error = Object.assign(new Error(`${code}: refused, ${syscall}`), { code, syscall, path });
  expect(explainSystemError(error)).toBe(expected);
  expect(explainSystemError(Object.assign(error, { message: 'Cannot start uv' }))).toBeUndefined();
});

it('formats an endpoint by its name', async () => {
  const { files } = await formatFiles(['iris'], { cwd: root, root: () => root, checkOnly: true });
  expect(files).toMatchObject([{ file: 'endpoints/iris.yaml' }]);
});

it('does not speak of a lock or a deployment of what does not exist', async () => {
  const wanted = { name: 'rose', entity: undefined, environment: undefined };
  expect((await describeEndpoint({ place: place() }, wanted)).diagnostics).toMatchObject([
    { code: 'unknown-endpoint', hint: 'Existing endpoints: iris' },
  ]);
  const target = openLocalTarget(root, 'local');
  await expect(target.makeToken()).rejects.toThrow('nothing is deployed there; npx davit up NAME deploys an endpoint');
  expect(await target.readLogs({ endpoint: 'iris', entity: undefined, lines: 1, build: false })).toEqual([]);
});

it.each([
  ['yes', true],
  ['Off', false],
])('imports %s as databricks bundle reads it', (written, value) => {
  const place = { file: 'databricks.yml', line: 1, column: 1 };
  const entity = makeMap([['scale_to_zero_enabled', { place, value: written }]], place);
  const body = makeMap([['config', makeMap([['served_entities', { place, value: [entity] }]], place)]], place);
  const config = mapOf(shapeBody({ body } as ForeignEndpoint))?.get('config');
  const [shaped] = listOf(mapOf(config)?.get('served_entities')) ?? [];
  expect(mapOf(shaped)?.get('scale_to_zero_enabled')?.value).toBe(value);
});

it('downloads no advisories when there is nothing to audit', async () => {
  vi.stubGlobal('fetch', () => Promise.reject(new Error('downloaded')));
  const request = { place: place(), progress: SILENT, signal: new AbortController().signal, withoutSandbox: undefined };
  const result = await auditEndpoints([], { ...request, database: undefined });
  vi.unstubAllGlobals();
  expect(result).toEqual({ entities: [], diagnostics: [], stale: undefined, isMissing: false });
});

it('audits what the lock has, says what it lacks, and queries the index also if osv.dev does not respond', async () => {
  const cache = await mkdtemp(join(tmpdir(), 'davit-audit-'));
  vi.stubEnv('DAVIT_CACHE', cache);
  vi.stubEnv('DAVIT_ADVISORIES', undefined);
  vi.stubGlobal('fetch', () => Promise.reject(new Error('no route')));
  const lock = { lock_version: 1, endpoint: 'iris', entities: {}, virtualenvs: {} };
  await writeFile(join(root, 'endpoints', 'iris.lock'), JSON.stringify(lock));
  const { value: endpoint } = await readEndpoint(place(), 'iris');
  const request = { place: place(), progress: SILENT, signal: new AbortController().signal, withoutSandbox: undefined };
  const result = await auditEndpoints([endpoint!], { ...request, database: undefined });
  vi.unstubAllGlobals();
  await rm(cache, { recursive: true });
  await rm(join(root, 'endpoints', 'iris.lock'));
  expect(result.diagnostics.map((d) => [d.code, d.message])).toEqual([
    ['lock-stale', expect.stringContaining('the entity is new')],
  ]);
  expect([result.entities, result.isMissing]).toEqual([[], true]);
  expect(result.stale).toContain('it does not respond');
});
