import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { chooseSandbox, type Sandbox } from '../../sandbox/sandbox.ts';
import type { LockedPackage } from '../../schemas/lock/lock.ts';
import { SILENT, withProgress } from '../../system/progress.ts';
import { makeTemporaryFolder } from '../../system/temporary-folder.ts';
import { minorVersion } from '../find-python.ts';
import type { PythonOptions } from '../find-uv.ts';
import { requirePython } from '../require-python.ts';
import { VirtualenvError } from '../virtualenv-error.ts';
import { downloadSource, findSource, type SourceDistribution } from './find-source.ts';
import type { BuildRequest } from './run-build.ts';

/** What wheels are built for: the Python and the platform of a locked virtualenv. */
export interface BuildTarget {
  /** `3.11` or `3.11.7` */
  readonly python: string;
  /** In uv's notation: `x86_64-manylinux_2_28`. */
  readonly platform: string;
}

/** Downloads the source distribution and runs a build of it. */
type RunBuild = <T>(build: (request: BuildRequest) => Promise<T>) => Promise<T>;

/**
 * Finds the source distribution of a package. `work` decides whether it is the right one, and builds it. Throws a
 * VirtualenvError where the Python, the sandbox or the source distribution is missing.
 */
export async function buildFromSource<T>(
  { name, version }: Pick<LockedPackage, 'name' | 'version'>,
  { python: wanted, platform }: BuildTarget,
  options: PythonOptions,
  work: (source: SourceDistribution, build: RunBuild) => Promise<T>,
): Promise<T> {
  const label = `${name} ${version}`;
  const sandbox = await requireSandbox(label, options);
  const python = await requirePython(wanted, options);
  const target = { interpreter: python.executable, python: minorVersion(wanted), platform };
  const source = await findSource({ name, version, ...target }, options);
  return work(source, async (build) => {
    const folder = makeTemporaryFolder('build');
    try {
      const into = join(folder, 'source');
      await mkdir(into);
      const file = await downloadSource(source, { folder: into, signal: options.signal });
      return await withProgress(options.progress ?? SILENT, `Building the wheel of ${label}`, () =>
        build({ folder, source: file, python, sandbox }),
      );
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
}

async function requireSandbox(label: string, options: PythonOptions): Promise<Sandbox | undefined> {
  const sandbox = options.sandbox ?? (await chooseSandbox(options.withoutSandbox));
  if (!sandbox || !('why' in sandbox)) return sandbox;
  const message = `Cannot build ${label}: a build runs only in a sandbox, and ${sandbox.why}`;
  throw new VirtualenvError('install-failed', message, { hint: sandbox.hint });
}
