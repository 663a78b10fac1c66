import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeFileAtomically } from '../../system/atomic-files.ts';
import { codePath } from '../../system/code.ts';

/** Pulumi's providers that are not available where its engine has to be built. */
const PROVIDERS = ['docker', 'kubernetes'] as const;
const SCRIPT = codePath('offline', 'plugins', 'run-plugin');

/**
 * Installs our stand-ins where the engine looks for the providers of the npm packages. `home`: a PULUMI_HOME of
 * Davit's, never the user's.
 */
export async function installStandIns(home: string): Promise<void> {
  await Promise.all(PROVIDERS.map((name) => install(home, name)));
}

/** The version of an npm package; undefined: it is optional and not installed. */
async function readInstalledVersion(name: string): Promise<string | undefined> {
  try {
    const manifest = fileURLToPath(import.meta.resolve(`${name}/package.json`));
    return (JSON.parse(await readFile(manifest, 'utf8')) as { readonly version: string }).version;
  } catch (e) {
    if (['ERR_MODULE_NOT_FOUND', 'ENOENT'].includes(String((e as NodeJS.ErrnoException).code))) return undefined;
    throw e;
  }
}

async function install(home: string, name: (typeof PROVIDERS)[number]): Promise<void> {
  const version = await readInstalledVersion(`@pulumi/${name}`);
  if (version === undefined) return;
  const folder = join(home, 'plugins', `resource-${name}-v${version}`);
  const file = join(folder, `pulumi-resource-${name}`);
  const [ours, there] = await Promise.all([readFile(SCRIPT, 'utf8'), readFile(file, 'utf8').catch(() => '')]);
  if (ours === there) return;
  await mkdir(folder, { recursive: true });
  await writeFileAtomically(file, ours, 0o755);
}
