import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { withCredentialFiles } from '../../../action/fetch/credential-files.ts';
import type { Runner } from '../../../action/runner.ts';

let temporary = '';
beforeEach(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'davit-credential-files-'));
});
afterEach(() => rm(temporary, { recursive: true, force: true }));

const KEY_FILE = JSON.stringify({ type: 'service_account', private_key: 'key' });
const use = <T>(variables: NodeJS.ProcessEnv, work: () => T) =>
  withCredentialFiles({ runner: { temporary } as Runner }, () => Promise.resolve(work()), variables);

it('writes what programs read only from a file into a folder of this user, until the work ends', async () => {
  const variables: NodeJS.ProcessEnv = {
    ...{ PATH: '/bin', GOOGLE_CREDENTIALS: KEY_FILE },
    ...{ CONTAINER_REGISTRY: 'ghcr.io', CONTAINER_REGISTRY_USERNAME: 'ci', CONTAINER_REGISTRY_PASSWORD: 'a:b' },
  };
  const file = await use(variables, () => {
    const { GOOGLE_APPLICATION_CREDENTIALS: google = '', DOCKER_CONFIG: folder = '', ...others } = variables;
    expect(others).toEqual({ PATH: '/bin' });
    expect(readFileSync(google, 'utf8')).toBe(KEY_FILE);
    const docker = join(folder, 'config.json');
    expect(JSON.parse(readFileSync(docker, 'utf8'))).toEqual({ auths: { 'ghcr.io': { auth: btoa('ci:a:b') } } });
    expect([statSync(folder), statSync(google), statSync(docker)].map(({ mode }) => mode & 0o777)).toEqual([
      ...[0o700, 0o600, 0o600],
    ]);
    return google;
  });
  expect(existsSync(dirname(file))).toBe(false);
});

it('removes the folder after a failure, too', async () => {
  const fail = () => {
    throw new Error('no disk');
  };
  await expect(use({ GOOGLE_CREDENTIALS: KEY_FILE }, fail)).rejects.toThrow('no disk');
  expect(readdirSync(temporary)).toEqual([]);
});

it('leaves what the user’s own action has signed in to', async () => {
  const variables = {
    GOOGLE_APPLICATION_CREDENTIALS: '/gha-creds.json',
    DOCKER_CONFIG: '/docker',
    GOOGLE_CREDENTIALS: '',
  };
  await use({ ...variables, CONTAINER_REGISTRY: 'ghcr.io' }, () => undefined);
  await use(variables, () => undefined);
  expect(variables).toEqual({ GOOGLE_APPLICATION_CREDENTIALS: '/gha-creds.json', DOCKER_CONFIG: '/docker' });
});

const LOGIN = { CONTAINER_REGISTRY_USERNAME: 'ci', CONTAINER_REGISTRY_PASSWORD: 'hunter2-hunter2' };
it.each([
  [{ GOOGLE_CREDENTIALS: 'hunter2-hunter2' }, 'Cannot use the secret GOOGLE_CREDENTIALS: it is not JSON with a "type"'],
  [{ GOOGLE_CREDENTIALS: '"hunter2-hunter2"' }, 'Cannot use the secret GOOGLE_CREDENTIALS'],
  [LOGIN, 'in the input "container-registry" the host that gets them, such as ghcr.io'],
  [{ ...LOGIN, CONTAINER_REGISTRY_USERNAME: '', CONTAINER_REGISTRY: 'ghcr.io' }, 'expected both'],
  [{ ...LOGIN, CONTAINER_REGISTRY: 'https://ghcr.io/acme' }, 'Cannot use "https://ghcr.io/acme" for the input "container-registry"'], // prettier-ignore
])('refuses what no program could use, without showing it: %o', async (variables, message) => {
  const refused = use(variables, () => undefined);
  await expect(refused).rejects.toThrow(message);
  await expect(refused).rejects.not.toThrow('hunter2');
  expect(readdirSync(temporary)).toEqual([]);
});
