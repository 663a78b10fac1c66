import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { type BuildOptions, buildGo, type GoBuild, computeGoBuildKey } from '../system/go-build.ts';
import { makeFolderAtomically } from '../system/atomic-files.ts';
import { cacheFolder } from '../system/cache.ts';
import { codePath } from '../system/code.ts';
import { withFileLock } from '../system/locks/file-lock.ts';

/** Programs that check and test the workflows. They are not part of the product. */
const BUILDS = {
  actionlint: {
    name: 'actionlint 1.7.12',
    source: codePath('tools', 'go', 'actionlint'),
    sources: ['go.mod', 'go.sum'],
    packages: ['github.com/rhysd/actionlint/cmd/actionlint'],
    count: 106,
    usually: '20 seconds',
  },
  act: {
    name: 'act 0.2.89',
    source: codePath('tools', 'go', 'act'),
    sources: ['go.mod', 'go.sum'],
    packages: ['github.com/nektos/act'],
    count: 564,
    usually: '1 minute',
  },
} as const satisfies Readonly<Record<string, GoBuild>>;

/** Returns the path of a program. The first call builds it into the user's cache, and throws if Go is missing. */
export async function ensureGoProgram(name: keyof typeof BUILDS, options: BuildOptions): Promise<string> {
  const build = BUILDS[name];
  const folder = cacheFolder('tools', `${name}-${await computeGoBuildKey(build)}`);
  const program = join(folder, name);
  const make = async () => {
    if (await fileExists(program)) return;
    await makeFolderAtomically(folder, (fresh) => buildGo(build, join(fresh, name), options));
  };
  if (!(await fileExists(program)))
    await withFileLock(`${folder}.lock`, make, { what: `building ${name}`, ...options });
  return program;
}

function fileExists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
