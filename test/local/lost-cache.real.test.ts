import { mkdtemp, readdir, realpath, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { ControlClient } from '../../local/control/control-client.ts';
import { ensureSupervisor } from '../../local/supervisor/start-supervisor.ts';
import { findUv } from '../../python/find-uv.ts';
import { cacheFolder } from '../../system/cache.ts';
import { queryEndpoint } from '../prober/query-endpoint.ts';
import {
  endProject,
  makeProject,
  makeRevisionRequest,
  makeRoute,
  makeObedientInput,
  type Project,
  waitUntil,
} from './local-project.ts';

/** A separate cache that the test may delete. Only `uv` in it is a link to the usual one. */
let cache: string;
let project: Project;
let client: ControlClient;

/** The packages of which a virtualenv takes the longest to make. The test makes it three times. */
const NOT_NEEDED = ['joblib', 'narwhals', 'prettytable', 'scikit-learn', 'scipy', 'skops', 'threadpoolctl', 'wcwidth'];

beforeAll(async () => {
  await findUv();
  const uv = cacheFolder('uv');
  cache = await realpath(await mkdtemp(join(tmpdir(), 'davit-cache-')));
  await symlink(uv, join(cache, 'uv'));
  vi.stubEnv('DAVIT_CACHE', cache);
  project = await makeProject();
  client = await ensureSupervisor(project.root, 'local');
});

afterAll(async () => {
  await endProject(project);
  await rm(cache, { recursive: true, force: true });
  vi.unstubAllEnvs();
});

it('a killed model server recovers even if the cache, or files in it, and the model in the checkout were deleted', async () => {
  const put = await makeRevisionRequest(project, { without: NOT_NEEDED });
  await client.putRevision(put);
  const { url } = await client.putRoute(makeRoute(put));
  const token = await client.makeToken();
  expect((await queryEndpoint(url, token, makeObedientInput('answer'))).status).toBe(200);

  await rm(join(cache, 'virtualenvs'), { recursive: true });
  await rm(join(project.root, 'models'), { recursive: true });
  expect((await queryEndpoint(url, token, makeObedientInput('answer'))).status).toBe(200); // it still runs
  const only = async () => (await client.status()).revisions[0]!;
  const [replica] = (await only()).replicas;
  process.kill(replica!.pid!, 'SIGKILL');
  await waitUntil(only, (r) => r.state === 'recovering');
  expect((await queryEndpoint(url, token, makeObedientInput('answer'))).status).toBe(200); // waits for the virtualenvs
  expect((await readdir(join(cache, 'virtualenvs'))).length).toBeGreaterThanOrEqual(2);
  expect((await client.readLog(put.revision.name, 'build-log')).join('\n')).toContain('Making a virtualenv');

  await removePackage('pandas');
  process.kill((await only()).replicas[0]!.pid!, 'SIGKILL');
  await waitUntil(only, (r) => r.state === 'recovering');
  expect((await queryEndpoint(url, token, makeObedientInput('answer'))).status).toBe(200); // after a start that failed
  expect((await client.readLog(put.revision.name, 'build-log')).join('\n')).toContain('Files are missing');
});

/** As a program that removes old files of caches. */
async function removePackage(name: string): Promise<void> {
  for (const key of await readdir(join(cache, 'virtualenvs')))
    await rm(join(cache, 'virtualenvs', key, 'lib', 'python3.11', 'site-packages', name), {
      recursive: true,
      force: true,
    });
}
