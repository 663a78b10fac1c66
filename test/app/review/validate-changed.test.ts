import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { makeUnread, validateChanged, type ValidateStage } from '../../../app/review/validate-changed.ts';
import type { ChangedEndpoint } from '../../../review/changed-endpoints.ts';
import { makeIrisFile } from '../../../schemas/explanations/explanation.ts';
import { SILENT } from '../../../system/progress.ts';

const CHANGED = { endpoint: 'iris', change: 'changed', because: [] } satisfies ChangedEndpoint;

/** Validates an endpoint that has no lock. */
function validate(fetched: ValidateStage['fetched']) {
  const root = mkdtempSync(join(tmpdir(), 'davit-validate-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  mkdirSync(join(root, 'endpoints'));
  writeFileSync(join(root, 'endpoints', 'iris.yaml'), makeIrisFile());
  const place = { root, endpoints: 'endpoints' };
  const request = { root, place, progress: SILENT, signal: new AbortController().signal };
  const folders = { locks: join(root, 'locks'), sboms: join(root, 'sboms') };
  const nothing = { environments: [], policies: [], diagnostics: [], base: undefined };
  return validateChanged(CHANGED, { request, ...nothing, ...folders, fetched });
}

afterEach(() => void vi.unstubAllEnvs());

test('an endpoint is not proven where the job "fetch" has handed over neither a lock nor a reason', async () => {
  const report = await validate(new Map([['iris', { ...makeUnread(CHANGED), lock: 'up-to-date' }]]));
  expect(report).toMatchObject({ outage: 'the job "fetch" has handed over no lock', entities: [] });
});

test('a run without the credentials of private indexes takes no package from another index', async () => {
  vi.stubEnv('DAVIT_INDEXES', 'acme=https://packages.example/simple');
  const report = await validate('withheld');
  expect(report).toMatchObject({
    lock: 'missing',
    computed_lock: null,
    diagnostics: [{ code: 'credentials-withheld' }],
  });
  expect(report.diagnostics[0]?.message).toMatch(/^Cannot lock the packages of iris-2: /);
});
