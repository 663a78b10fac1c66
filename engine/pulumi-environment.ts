import { randomBytes } from 'node:crypto';
import { link, mkdir, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { installStandIns } from '../offline/plugins/install.ts';
import { cacheFolder } from '../system/cache.ts';
import { CODE } from '../system/code.ts';
import type { Backend } from './backend.ts';
import type { PulumiEngine } from './find-pulumi.ts';

/** Environment variables that an engine is run with, besides this process's own. */
export type PulumiEnvironment = Readonly<Record<string, string>>;

/**
 * Makes the environment in which `pulumi` works on the project at `root`, and the secret that needs to exist for it. What
 * the user has set wins.
 */
export async function makePulumiEnvironment(
  root: string,
  engine: PulumiEngine,
  backend: Backend,
): Promise<PulumiEnvironment> {
  const own = {
    ...(await makeShellEnvironment(root, engine, backend)),
    ...(backend.folder && { PULUMI_HOME: ownHome() }), // another backend needs the user's login
  };
  return Object.fromEntries(Object.entries(own).filter(([name]) => name === 'PATH' || !process.env[name]));
}

/** Makes the environment in which a user's own `pulumi preview -s iris.local` works: what `davit env` prints. */
export async function makeShellEnvironment(
  root: string,
  engine: PulumiEngine,
  backend: Backend,
): Promise<PulumiEnvironment> {
  const path = [dirname(engine.command), dirname(process.execPath), process.env['PATH'] ?? ''];
  return {
    PATH: path.join(delimiter),
    DAVIT_HOME: CODE, // where its language host is looked for
    NODE_COMPILE_CACHE: cacheFolder('node'), // 0.45 of 1.35 s of a preview
    PULUMI_SKIP_UPDATE_CHECK: 'true',
    // The network that had to build its engine has no plugins either: say so at once instead of after 10 s of retries.
    ...(engine.source === 'build' && { PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: 'true' }),
    ...(engine.source === 'build' && (await makeHome(backend))),
    ...(await makePassphrase(root)),
  };
}

/**
 * Where the engine has to be built, its providers cannot be had either: a home of our own has stand-ins for them. A login,
 * which a backend that is no folder needs, stays the user's, and a home that the user has set is left alone.
 */
async function makeHome(backend: Backend): Promise<PulumiEnvironment> {
  const { PULUMI_HOME: users, PULUMI_CREDENTIALS_PATH: login } = process.env;
  const home = ownHome();
  if (users && users !== home) return {};
  await installStandIns(home);
  return {
    PULUMI_HOME: home,
    ...(!backend.folder && { PULUMI_CREDENTIALS_PATH: login || join(homedir(), '.pulumi') }),
  };
}

/** As lines for a POSIX shell: `export NAME='value'`. */
export function renderExports(environment: PulumiEnvironment): string {
  const lines = Object.entries(environment).map(
    ([name, value]) => `export ${name}='${value.replaceAll("'", `'\\''`)}'`,
  );
  return `${lines.join('\n')}\n`;
}

function ownHome(): string {
  return cacheFolder('pulumi', 'home');
}

/** State must be encrypted with something; who has chosen nothing gets a random passphrase of the project's own. */
async function makePassphrase(root: string): Promise<PulumiEnvironment> {
  const { PULUMI_CONFIG_PASSPHRASE, PULUMI_CONFIG_PASSPHRASE_FILE } = process.env;
  if (PULUMI_CONFIG_PASSPHRASE !== undefined || PULUMI_CONFIG_PASSPHRASE_FILE !== undefined) return {};
  const file = join(root, '.davit', 'passphrase');
  const fresh = `${file}.${randomBytes(6).toString('hex')}.new`;
  await mkdir(dirname(file), { recursive: true });
  await writeFile(fresh, randomBytes(32).toString('base64url'), { mode: 0o600 });
  try {
    await link(fresh, file); // whole or not at all, and only the first of two
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code !== 'EEXIST') throw e;
  } finally {
    await rm(fresh, { force: true });
  }
  return { PULUMI_CONFIG_PASSPHRASE_FILE: file };
}
