import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RegistryLogin } from './image-inputs.ts';

interface DockerConfig {
  readonly auths?: Readonly<Record<string, object>>;
  readonly credHelpers?: Readonly<Record<string, string>>;
}

/** Of the user's folder, what the client needs besides credentials. */
const SHARED = ['contexts', 'cli-plugins', 'buildx'];
const DOCKER_HUB = 'https://index.docker.io/v1/';

/**
 * Runs `work` with a configuration folder of Docker's: the user's own, or with a login a private copy that has it and is
 * removed afterwards. So a password is in no argument, no environment and no file of the user's.
 */
export async function withDockerConfig<T>(
  login: (RegistryLogin & { readonly server: string }) | undefined,
  work: (folder: string) => Promise<T>,
): Promise<T> {
  const theirs = process.env['DOCKER_CONFIG'] ?? join(homedir(), '.docker');
  if (login?.username === undefined) return work(theirs);
  const folder = await mkdtemp(join(tmpdir(), 'davit-docker-')); // readable for nobody else
  try {
    const config = addLogin(await readConfig(theirs), login);
    await writeFile(join(folder, 'config.json'), JSON.stringify(config), { mode: 0o600 });
    for (const name of SHARED) await symlink(join(theirs, name), join(folder, name));
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** An empty helper means: this file. */
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
