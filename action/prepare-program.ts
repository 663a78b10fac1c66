import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { readText } from '../schemas/read-project.ts';
import { CODE_FOLDER, codePath } from '../system/code.ts';
import { withProgress } from '../system/progress.ts';
import { makeChildEnvironment, runProcess } from '../system/run-process.ts';
import { LOG } from './log.ts';

/** The engine's program needs npm packages on the runner: a release has only the sources. */
const INSTALL_LIMIT_SECONDS = 600;
/** Runs no script of a package. Node itself is the runner's. */
const INSTALL_ARGUMENTS = [
  'ci',
  '--omit=dev',
  '--omit=optional',
  '--ignore-scripts',
  '--no-audit',
  '--no-fund',
  '--loglevel=error',
];

/** Makes the release's own Pulumi program ready: installs missing packages. */
export async function prepareProgram(signal: AbortSignal): Promise<void> {
  if (!(await isInstalled()))
    await withProgress(LOG, 'Installing the packages of the program (npm ci)', () => install(signal));
}

async function install(signal: AbortSignal): Promise<void> {
  const options = { cwd: CODE_FOLDER, env: makeChildEnvironment(), limitSeconds: INSTALL_LIMIT_SECONDS, signal };
  const ran = await runProcess('npm', INSTALL_ARGUMENTS, options);
  if (ran.code === 0 && (await isInstalled())) return;
  const why = ran.timedOut
    ? `it took more than ${INSTALL_LIMIT_SECONDS} s`
    : ran.stderr.trim().split('\n').slice(-5).join('; ');
  throw new Error(
    `Cannot install the packages of Davit's program: ${why || `npm ci ended with ${ran.code}`}. Check the registry that npm uses, then run the job again`,
  );
}

const manifest = z.object({ version: z.string(), dependencies: z.record(z.string(), z.string()).optional() });

/** Whether npm finished here with exactly the versions that the program needs. */
async function isInstalled(): Promise<boolean> {
  const { dependencies = {} } = await readManifest(codePath('package.json'));
  if ((await readText(codePath('node_modules', '.package-lock.json'))) === undefined) return false;
  const versions = Object.entries(dependencies).map(async ([name, wanted]) => {
    const found = await readManifest(codePath('node_modules', name, 'package.json')).catch(() => undefined);
    return found?.version === wanted;
  });
  return (await Promise.all(versions)).every(Boolean);
}

async function readManifest(file: string) {
  return manifest.parse(JSON.parse(await readFile(file, 'utf8')));
}
