import { readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { makeTemporaryFolder } from '../../../system/temporary-folder.ts';
import type { RegistryLogin } from './image-inputs.ts';

interface DockerConfig {
  readonly auths?: Readonly<Record<string, object>>;
  readonly credHelpers?: Readonly<Record<string, string>>;
}

/** Parts of the user's folder that the client needs besides credentials. */
const SHARED_ENTRIES = ['contexts', 'cli-plugins', 'buildx'];
const DOCKER_HUB = 'https://index.docker.io/v1/';

/**
 * Runs `work` with a configuration folder for Docker: the user's own or, if a login is given, a private copy with that
 * login, which is removed afterwards. A password therefore never appears in an argument, in the environment or in a
 * file of the user's.
 */
export async function withDockerConfig<T>(
  login: (RegistryLogin & { readonly server: string }) | undefined,
  work: (folder: string) => Promise<T>,
): Promise<T> {
  const theirs = process.env['DOCKER_CONFIG'] || join(homedir(), '.docker');
  if (login?.username === undefined) return work(theirs);
  const folder = makeTemporaryFolder('docker'); // readable only by this user
  try {
    const config = addLogin(await readConfig(theirs), login);
    await writeFile(join(folder, 'config.json'), JSON.stringify(config), { mode: 0o600 });
    for (const name of SHARED_ENTRIES) await symlink(join(theirs, name), join(folder, name));
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** An empty credential helper makes Docker use this file. */
function addLogin(
  config: DockerConfig,
  { server, username = '', password = '' }: RegistryLogin & { readonly server: string },
): DockerConfig {
  const key = server === 'docker.io' ? DOCKER_HUB : server;
  const auth = Buffer.from(`${username}:${password}`).toString('base64');
  return {
    ...config,
    auths: { ...config.auths, [key]: { auth } },
    credHelpers: { ...config.credHelpers, [key]: '' },
  };
}

async function readConfig(folder: string): Promise<DockerConfig> {
  const text = await readFile(join(folder, 'config.json'), 'utf8').catch(() => '{}');
  return JSON.parse(text) as DockerConfig;
}
