import { realpath } from 'node:fs/promises';
import { delimiter, dirname, join, sep } from 'node:path';
import { cacheFolder } from '../../system/cache.ts';
import { isExecutable, runProcess } from '../../system/run-process.ts';
import type { PulumiSource, PulumiEngine } from './pulumi-source.ts';
import { isNewEnough, MINIMUM_VERSION } from './pulumi-version.ts';

/** The user's own `pulumi`. */
export const PATH: PulumiSource = {
  name: 'path',
  words: 'the PATH',
  missing: `pulumi ${MINIMUM_VERSION} or newer with pulumi-language-nodejs beside it`,
  find: async () => findOnPath(process.env['PATH'] ?? ''),
};

/**
 * The first `pulumi` of a PATH, if it is new enough and can run Node programs. One from Davit's cache does not count.
 */
export async function findOnPath(path: string): Promise<PulumiEngine | undefined> {
  const command = await findExecutable(path, 'pulumi');
  if (!command) return undefined;
  const real = await realpath(command);
  if (real.startsWith(cacheFolder() + sep)) return undefined;
  const beside = join(dirname(real), 'pulumi-language-nodejs');
  if (!(await isExecutable(beside)) && !(await findExecutable(path, 'pulumi-language-nodejs'))) return undefined;
  const ran = await runProcess(command, ['version'], { limitSeconds: 10 }).catch(() => undefined);
  const version = ran?.stdout.trim().replace(/^v/, '') ?? '';
  return isNewEnough(version) ? { command, version, source: 'path' } : undefined;
}

async function findExecutable(path: string, name: string): Promise<string | undefined> {
  for (const folder of path.split(delimiter).filter((f) => f !== '')) {
    const file = join(folder, name);
    if (await isExecutable(file)) return file;
  }
  return undefined;
}
