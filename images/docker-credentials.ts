import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { makeChildEnvironment, runProcess } from '../system/run-process.ts';

/** Docker's credentials for a registry. Never printed. */
export type Credentials =
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  /** A refresh token, which is exchanged for an access token (OAuth2). */
  | { readonly kind: 'identity-token'; readonly token: string }
  /** An access token, used unchanged. */
  | { readonly kind: 'registry-token'; readonly token: string };

const configuration = z.object({
  auths: z
    .record(
      z.string(),
      z.object({
        auth: z.string().optional(),
        username: z.string().optional(),
        password: z.string().optional(),
        identitytoken: z.string().optional(),
        registrytoken: z.string().optional(),
      }),
    )
    .optional(),
  credHelpers: z.record(z.string(), z.string()).optional(),
  credsStore: z.string().optional(),
});
const helperOutput = z.object({ Username: z.string(), Secret: z.string() });
type Configuration = z.infer<typeof configuration>;

const HELPER_LIMIT_SECONDS = 30;
/** Docker stores the credentials of Docker Hub under this name. */
const DOCKER_HUB = 'https://index.docker.io/v1/';

/** Reads the credentials that `docker login` stored for a registry. Returns undefined if none are stored. */
export async function readCredentials(registry: string): Promise<Credentials | undefined> {
  const file = join(process.env['DOCKER_CONFIG'] || join(homedir(), '.docker'), 'config.json');
  const settings = await readConfiguration(file);
  if (!settings) return undefined;
  const names = listCredentialKeys(registry);
  const own = names.map((n) => settings.credHelpers?.[n]).find((h) => h !== undefined);
  const helper = own ?? settings.credsStore;
  const helped = helper === undefined ? undefined : await queryHelper(helper, names[0] ?? registry);
  return helped ?? findStoredCredentials(settings, names);
}

/** The names under which Docker can store a registry's credentials. Docker passes the first name to helpers. */
function listCredentialKeys(registry: string): readonly string[] {
  const hub = registry === 'docker.io' || registry === 'index.docker.io';
  return hub ? [DOCKER_HUB, 'index.docker.io', 'docker.io'] : [registry, `https://${registry}`, `http://${registry}`];
}

async function readConfiguration(file: string): Promise<Configuration | undefined> {
  try {
    return configuration.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    // Omit the cause, because it would quote the file, which can contain a password.
    throw new Error(`Cannot read ${file}: it does not contain the JSON that docker login writes`, { cause: undefined });
  }
}

function findStoredCredentials({ auths = {} }: Configuration, names: readonly string[]): Credentials | undefined {
  const found = Object.entries(auths).find(([key]) => names.some((name) => parseHost(key) === parseHost(name)))?.[1];
  if (!found) return undefined;
  if (found.registrytoken) return { kind: 'registry-token', token: found.registrytoken };
  if (found.identitytoken) return { kind: 'identity-token', token: found.identitytoken };
  const [username = '', ...password] = Buffer.from(found.auth ?? '', 'base64')
    .toString('utf8')
    .split(':');
  if (found.auth) return { kind: 'password', username, password: password.join(':') };
  if (found.username === undefined) return undefined;
  return { kind: 'password', username: found.username, password: found.password ?? '' };
}

/** Docker compares registry names without scheme and path. */
function parseHost(key: string): string {
  return key.replace(/^https?:\/\//, '').split('/')[0] ?? '';
}

async function queryHelper(helper: string, registry: string): Promise<Credentials | undefined> {
  const program = `docker-credential-${helper}`;
  const run = await runProcess(program, ['get'], {
    input: registry,
    env: makeChildEnvironment(),
    limitSeconds: HELPER_LIMIT_SECONDS,
  }).catch(() => undefined);
  if (!run) throw new Error(`Cannot start ${program}, which Docker's configuration names: expected it on the PATH`);
  if (run.code !== 0) {
    const said = `${run.stdout}\n${run.stderr}`;
    if (/credentials not found/i.test(said)) return undefined;
    throw new Error(`Cannot read the credentials of ${registry}: ${program} ended with exit code ${run.code}`);
  }
  const { Username: username, Secret: secret } = parseHelperOutput(run.stdout, program);
  if (username === '' && secret === '') return undefined;
  return username === '<token>'
    ? { kind: 'identity-token', token: secret }
    : { kind: 'password', username, password: secret };
}

function parseHelperOutput(text: string, program: string): z.infer<typeof helperOutput> {
  try {
    return helperOutput.parse(JSON.parse(text));
  } catch {
    throw new Error(`Cannot parse the output of ${program}: expected JSON with Username and Secret`);
  }
}
