import { randomBytes } from 'node:crypto';
import { link, mkdir, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { installStandIns } from '../offline/plugins/install-stand-ins.ts';
import { cacheFolder } from '../system/cache.ts';
import { CODE_FOLDER } from '../system/code.ts';
import type { Backend } from './state/backend.ts';
import type { PulumiEngine } from './install/pulumi-source.ts';

/** The environment variables of an engine, besides those of this process. */
export type PulumiEnvironment = Readonly<Record<string, string>>;

/**
 * Makes the environment in which `pulumi` works on the project at `root`, and creates the passphrase that it needs.
 * Variables that the user has set win.
 */
export async function makePulumiEnvironment(
  root: string,
  engine: PulumiEngine,
  backend: Backend,
): Promise<PulumiEnvironment> {
  const own = {
    ...(await makeShellEnvironment(root, engine, backend)),
    ...(backend.folder && { PULUMI_HOME: pulumiHome() }), // any other backend needs the user's login
  };
  return Object.fromEntries(Object.entries(own).filter(([name]) => name === 'PATH' || !process.env[name]));
}

/** Makes the environment in which a user's own `pulumi preview -s iris.local` works: the output of `davit env`. */
export async function makeShellEnvironment(
  root: string,
  engine: PulumiEngine,
  backend: Backend,
): Promise<PulumiEnvironment> {
  const path = [dirname(engine.command), dirname(process.execPath), process.env['PATH'] ?? ''];
  return {
    PATH: path.join(delimiter),
    DAVIT_HOME: CODE_FOLDER, // the language host searches here
    NODE_COMPILE_CACHE: cacheFolder('node'), // saves 0.45 of 1.35 s of a preview
    PULUMI_SKIP_UPDATE_CHECK: 'true',
    ...withoutProxy(),
    // A network without the engine's download has no plugins either, so fail at once instead of after 10 s of retries.
    ...(engine.source === 'build' && { PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: 'true' }),
    ...(engine.source === 'build' && (await makeHome(backend))),
    ...(await makePassphrase(root)),
  };
}

/**
 * Makes a Pulumi home with stand-ins for the providers, because where the engine has to be built its providers cannot
 * be downloaded either. A backend that is not a folder keeps the user's login. A home that the user has set stays
 * unchanged.
 */
async function makeHome(backend: Backend): Promise<PulumiEnvironment> {
  const { PULUMI_HOME: users, PULUMI_CREDENTIALS_PATH: login } = process.env;
  const home = pulumiHome();
  if (users && users !== home) return {};
  await installStandIns(home);
  return {
    PULUMI_HOME: home,
    ...(!backend.folder && { PULUMI_CREDENTIALS_PATH: login || join(homedir(), '.pulumi') }),
  };
}

/**
 * Pulumi's SDK would send its calls to the engine, which listens on this machine, through the proxy that `http_proxy` names,
 * unless the user has thought of `no_proxy`. This variable is for gRPC alone.
 */
export function withoutProxy(): PulumiEnvironment {
  return process.env['no_grpc_proxy'] ? {} : { no_grpc_proxy: '127.0.0.1,localhost' };
}

/** Makes lines for a POSIX shell: `export NAME='value'`. */
export function renderExports(environment: PulumiEnvironment): string {
  const lines = Object.entries(environment).map(
    ([name, value]) => `export ${name}='${value.replaceAll("'", `'\\''`)}'`,
  );
  return `${lines.join('\n')}\n`;
}

function pulumiHome(): string {
  return cacheFolder('pulumi', 'home');
}

/** State must be encrypted. If the user has chosen no passphrase, the project gets a random one of its own. */
export async function makePassphrase(root: string): Promise<PulumiEnvironment> {
  const { PULUMI_CONFIG_PASSPHRASE, PULUMI_CONFIG_PASSPHRASE_FILE } = process.env;
  if (PULUMI_CONFIG_PASSPHRASE !== undefined || PULUMI_CONFIG_PASSPHRASE_FILE !== undefined) return {};
  const file = join(root, '.davit', 'passphrase');
  const fresh = `${file}.${randomBytes(6).toString('hex')}.new`;
  await mkdir(dirname(file), { recursive: true });
  await writeFile(fresh, randomBytes(32).toString('base64url'), { mode: 0o600 });
  try {
    await link(fresh, file); // whole or not at all; the first of two processes wins
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code !== 'EEXIST') throw e;
  } finally {
    await rm(fresh, { force: true });
  }
  return { PULUMI_CONFIG_PASSPHRASE_FILE: file };
}
