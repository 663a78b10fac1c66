import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { codePath } from '../../../system/code.ts';
import { ensureInstalledPackage, runInstalled } from '../../tools/install-package.ts';

const ANSWERS = ['--environments', 'staging production', '--state', 's3://acme-davit-state', '--cloud', 'none'];

/** Returns the files that `davit init` of the installed package writes for a model of one's own, by path. */
export async function initByPackage(): Promise<ReadonlyMap<string, string>> {
  const installed = await ensureInstalledPackage();
  const folder = await mkdtemp(join(tmpdir(), 'davit-newcomer-'));
  try {
    await cp(codePath('models', 'iris', '1'), join(folder, 'models', 'iris', '1'), { recursive: true });
    const { code, stderr } = await runInstalled(installed, folder, ['init', '--model', 'models/iris/1', ...ANSWERS]);
    if (code !== 0) throw new Error(`davit init failed: ${stderr}`);
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const paths = entries.filter((e) => e.isFile()).map((e) => join(e.parentPath, e.name).slice(folder.length + 1));
    const made = paths.filter((path) => !path.startsWith('models/'));
    return new Map(
      await Promise.all(made.map(async (path) => [path, await readFile(join(folder, path), 'utf8')] as const)),
    );
  } finally {
    await rm(folder, { recursive: true });
  }
}
