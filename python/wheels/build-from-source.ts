import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { chooseSandbox, type Sandbox } from '../../sandbox/sandbox.ts';
import { type GitCommit, renderGitCommit } from '../../schemas/lock/git-commit.ts';
import { SILENT, withProgress } from '../../system/progress.ts';
import { makeTemporaryFolder } from '../../system/temporary-folder.ts';
import { minorVersion } from '../find-python.ts';
import type { PythonOptions } from '../find-uv.ts';
import { requirePython } from '../require-python.ts';
import { VirtualenvError } from '../virtualenv-error.ts';
import { fetchCommit } from './fetch-commit.ts';
import { downloadSource, findSource } from './find-source.ts';
import type { BuildRequest } from './run-build.ts';

/** What wheels are built for: the Python and the platform of a locked virtualenv. */
export interface BuildTarget {
  /** `3.11` or `3.11.7` */
  readonly python: string;
  /** In uv's notation: `x86_64-manylinux_2_28`. */
  readonly platform: string;
}

/** A version of the index, or a commit, whose version may not be known yet. */
export type WantedBuild =
  | { readonly name: string; readonly version: string; readonly commit?: undefined }
  | { readonly name: string; readonly version: string | undefined; readonly commit: GitCommit };

/** Gets the source into a folder and runs a build of it. */
type RunBuild = <T>(build: (request: BuildRequest) => Promise<T>) => Promise<T>;

/**
 * Finds the source of a package. `work` gets what the lock has of it (the hash of a source distribution, or the commit),
 * decides whether it is the right one, and builds it. Throws a VirtualenvError where the Python, the sandbox or the source
 * is missing.
 */
export async function buildFromSource<T>(
  wanted: WantedBuild,
  { python: wantedPython, platform }: BuildTarget,
  options: PythonOptions,
  work: (from: string, build: RunBuild) => Promise<T>,
): Promise<T> {
  const { name, version } = wanted;
  const label = version === undefined ? name : `${name} ${version}`;
  const sandbox = await requireSandbox(label, options);
  const python = await requirePython(wantedPython, options);
  const target = { interpreter: python.executable, python: minorVersion(wantedPython), platform };
  const source = wanted.commit
    ? openCommit(wanted, wanted.commit)
    : await openSource({ ...wanted, ...target }, options);
  return work(source.from, async (build) => {
    const folder = makeTemporaryFolder('build');
    try {
      const into = join(folder, 'source');
      await mkdir(into);
      const got = await source.get({ folder: into, signal: options.signal });
      return await withProgress(options.progress ?? SILENT, `Building the wheel of ${label}`, () =>
        build({ folder, ...got, python, sandbox }),
      );
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
}

interface OpenedSource {
  readonly from: string;
  readonly get: (
    options: { readonly folder: string } & Pick<PythonOptions, 'signal'>,
  ) => Promise<Pick<BuildRequest, 'source' | 'version'>>;
}

async function openSource(wanted: Parameters<typeof findSource>[0], options: PythonOptions): Promise<OpenedSource> {
  const found = await findSource(wanted, options);
  return { from: found.hash, get: async (into) => ({ source: await downloadSource(found, into) }) };
}

const SHOWN_DIGITS = 12;

/** Without a version, a package that takes it from Git gets that of a tag of the commit, else one with its hash. */
function openCommit({ version }: Pick<WantedBuild, 'version'>, commit: GitCommit): OpenedSource {
  return {
    from: renderGitCommit(commit),
    get: async (into) => {
      const { file, version: tagged } = await fetchCommit(commit, into);
      return { source: file, version: version ?? tagged ?? `0.0.0+g${commit.commit.slice(0, SHOWN_DIGITS)}` };
    },
  };
}

async function requireSandbox(label: string, options: PythonOptions): Promise<Sandbox | undefined> {
  const sandbox = options.sandbox ?? (await chooseSandbox(options.withoutSandbox));
  if (!sandbox || !('why' in sandbox)) return sandbox;
  const message = `Cannot build ${label}: a build runs only in a sandbox, and ${sandbox.why}`;
  throw new VirtualenvError('install-failed', message, { hint: sandbox.hint });
}
