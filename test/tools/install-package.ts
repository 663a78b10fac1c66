import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, realpath, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { codePath } from '../../system/code.ts';
import { withFileLock } from '../../system/locks/file-lock.ts';
import { makeChildEnvironment, runProcess } from '../../system/run-process.ts';
import { makePackage, packPackage } from '../../tools/make-package.ts';

interface Locked {
  readonly dev?: boolean;
}

/** The folder with the installed package, which all tests of one run share: the first that needs it installs it. */
export async function ensureInstalledPackage(): Promise<string> {
  const app = join(await realpath(tmpdir()), 'davit-package');
  const done = join(app, 'node_modules', 'davit', 'package.json');
  await withFileLock(`${app}.lock`, async () => {
    if (!existsSync(done)) await installPackage(app);
  });
  return app;
}

/**
 * Makes Davit's package and installs it in the folder `app` as a user does, with the versions of this repository's lock.
 * npm has those in its cache, because it has installed this repository, so this needs no network.
 */
async function installPackage(app: string): Promise<void> {
  const files = join(app, 'package-files');
  await mkdir(app, { recursive: true });
  await makePackage(files);
  const packed = packPackage(files, app);
  const davit = `file:${packed}`;
  const manifest = JSON.parse(await readFile(join(files, 'package.json'), 'utf8')) as object;
  const lock = JSON.parse(await readFile(codePath('package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, Locked>>;
  };
  const others = Object.entries(lock.packages).filter(([path, { dev }]) => path !== '' && dev !== true);
  const integrity = `sha512-${createHash('sha512')
    .update(await readFile(packed))
    .digest('base64')}`;
  const own = { name: 'app', private: true, devDependencies: { davit } };
  await writeFile(join(app, 'package.json'), JSON.stringify(own));
  const packages = {
    '': own,
    'node_modules/davit': { ...manifest, resolved: davit, integrity, dev: true },
    ...Object.fromEntries(others),
  };
  const whole = { name: 'app', lockfileVersion: 3, requires: true, packages };
  await writeFile(join(app, 'package-lock.json'), JSON.stringify(whole));
  const args = ['ci', '--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const { code, stderr } = await runProcess('npm', args, { cwd: app });
  if (code !== 0) throw new Error(`npm ci failed: ${stderr}`);
}

/** Runs the installed `davit` in the folder `cwd` as a user does. */
export function runInstalled(app: string, cwd: string, args: readonly string[]) {
  return runProcess(join(app, 'node_modules', '.bin', 'davit'), args, { cwd, env: makeUserEnvironment() });
}

/** With the Node of this machine. npm puts that of this repository, which is newer, before it into the PATH. */
export function makeUserEnvironment(): NodeJS.ProcessEnv {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => !folder.includes('node_modules'));
  return makeChildEnvironment({ DAVIT_HOME: '', PATH: folders.join(delimiter) });
}
