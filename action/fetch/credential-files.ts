import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isRegistryHost } from '../../schemas/endpoint/image-uri.ts';
import { makeTemporaryFolder } from '../../system/temporary-folder.ts';
import type { Job } from '../job.ts';
import { parseKeyFile } from './secret-parts.ts';

/**
 * Runs `work` with the credentials that programs read only from a file: of Google, and of a container registry. The files
 * are in a folder that no other user can read, and that is removed when the work ends.
 */
export async function withCredentialFiles<T>(
  { runner }: Pick<Job, 'runner'>,
  work: () => Promise<T>,
  variables: NodeJS.ProcessEnv = process.env,
): Promise<T> {
  await mkdir(runner.temporary, { recursive: true });
  const folder = makeTemporaryFolder('credentials', runner.temporary);
  try {
    await writeKeyFile(folder, variables);
    await writeDockerConfiguration(folder, variables);
    return await work();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function writeKeyFile(folder: string, variables: NodeJS.ProcessEnv): Promise<void> {
  const text = take(variables, 'GOOGLE_CREDENTIALS');
  if (text === undefined) return;
  if (!parseKeyFile(text))
    throw new Error(
      'Cannot use the secret GOOGLE_CREDENTIALS: it is not JSON with a "type", expected the content of the key file of a service account, or of a configuration of workload identity',
    );
  variables['GOOGLE_APPLICATION_CREDENTIALS'] = await write(folder, 'google.json', text);
}

/** Without a user and a password, the user's own action may have run `docker login`. */
async function writeDockerConfiguration(folder: string, variables: NodeJS.ProcessEnv): Promise<void> {
  const registry = take(variables, 'CONTAINER_REGISTRY');
  const username = take(variables, 'CONTAINER_REGISTRY_USERNAME');
  const password = take(variables, 'CONTAINER_REGISTRY_PASSWORD');
  if (registry !== undefined && !isRegistryHost(registry))
    throw new Error(`Cannot use ${JSON.stringify(registry)} for the input "container-registry": expected the host of a registry, such as ghcr.io`); // prettier-ignore
  if (username === undefined && password === undefined) return;
  if (registry === undefined || username === undefined || password === undefined)
    throw new Error(
      'Cannot use the secrets CONTAINER_REGISTRY_USERNAME and CONTAINER_REGISTRY_PASSWORD: expected both, and in the input "container-registry" the host that gets them, such as ghcr.io',
    );
  const auth = Buffer.from(`${username}:${password}`).toString('base64');
  await write(folder, 'config.json', JSON.stringify({ auths: { [registry]: { auth } } }));
  variables['DOCKER_CONFIG'] = folder;
}

function take(variables: NodeJS.ProcessEnv, name: string): string | undefined {
  const value = variables[name] || undefined;
  Reflect.deleteProperty(variables, name);
  return value;
}

async function write(folder: string, name: string, text: string): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, text, { mode: 0o600 });
  return file;
}
