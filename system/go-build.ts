import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Progress } from './progress.ts';
import { makeChildEnvironment, runProcess } from './run-process.ts';

/** Commands that are built together from the Go modules that a go.mod pins. */
export interface GoBuild {
  /** The name in progress lines and errors: `Pulumi 3.225.0`. */
  readonly name: string;
  /** The folder with go.mod, go.sum and, if the command is our own, main.go. */
  readonly source: string;
  /** Files in `source` on which the result of the build depends. */
  readonly sources: readonly string[];
  /** The Go packages to build, one for each command. */
  readonly packages: readonly string[];
  /** Variables that the linker sets in the binary: `example.com/package.Variable=value`. */
  readonly variables?: readonly string[];
  /** The number of packages that Go compiles after the builds before this one, for progress lines. */
  readonly count: number;
  /** The build time on two idle cores: `2 to 5 minutes`. */
  readonly usually: string;
}

export interface BuildOptions {
  readonly progress: Progress;
  readonly signal?: AbortSignal | undefined;
}

const PROGRESS_INTERVAL_MILLISECONDS = 15_000;
const BUILD_ENVIRONMENT = {
  CGO_ENABLED: '0',
  GOFLAGS: '-mod=readonly',
  GOWORK: 'off',
  GOTOOLCHAIN: 'local', // Go would have to download any other toolchain
  GOGC: '400', // the compiler collects garbage less often: it needs more memory and 40 % less time
};

/** Computes the cache key of a build. Builds with the same key produce the same binaries. */
export async function computeGoBuildKey(build: GoBuild): Promise<string> {
  const sources = await Promise.all(build.sources.map((file) => readFile(join(build.source, file), 'utf8')));
  return createHash('sha256')
    .update(JSON.stringify([makeBuildFlags(build), ...sources]))
    .digest('hex')
    .slice(0, 10);
}

/** Builds into `output`: a file for one package, or a folder for several. A folder's path ends with `/`. */
export async function buildGo(build: GoBuild, output: string, { progress, signal }: BuildOptions): Promise<void> {
  await requireGo(build.source);
  const watch = reportBuildProgress(build, progress);
  try {
    const built = await runProcess('go', ['build', '-v', ...makeBuildFlags(build), '-o', output, ...build.packages], {
      cwd: build.source,
      env: makeChildEnvironment(BUILD_ENVIRONMENT),
      onLine: watch.onLine,
      ...(signal && { signal }),
    });
    if (built.code !== 0) throw new Error(`Cannot build ${build.name}: ${lastWords(built.stderr)}`);
    watch.done();
  } finally {
    watch.stop();
  }
}

/** Returns the folder of a module that `source`'s go.mod names. Downloads the module if Go does not have it yet. */
export async function readModuleFolder(source: string, module: string): Promise<string> {
  const ran = await runProcess('go', ['mod', 'download', '-json', module], {
    cwd: source,
    env: makeChildEnvironment(BUILD_ENVIRONMENT),
  });
  if (ran.code !== 0) throw new Error(`Cannot download the Go module ${module}: ${lastWords(ran.stderr + ran.stdout)}`);
  return (JSON.parse(ran.stdout) as { readonly Dir: string }).Dir;
}

function makeBuildFlags({ variables = [] }: GoBuild): readonly string[] {
  const linked = ['-s -w', ...variables.map((v) => `-X ${v}`)].join(' '); // -s -w: no tables for debuggers
  return ['-trimpath', '-gcflags=all=-dwarf=false', '-ldflags', linked]; // nor does the compiler spend time on them
}

async function requireGo(source: string): Promise<void> {
  const wanted = /^go (\S+)$/m.exec(await readFile(join(source, 'go.mod'), 'utf8'))?.[1] ?? '';
  const found = await runProcess('go', ['env', 'GOVERSION']).catch(() => undefined);
  const version = /^go(\d+(?:\.\d+)*)/.exec(found?.stdout ?? '')?.[1];
  if (version === undefined) throw new Error(`there is no Go on the PATH, expected Go ${wanted} or newer`);
  if (isOlder(version, wanted)) throw new Error(`Go ${version} is on the PATH, expected Go ${wanted} or newer`);
}

function isOlder(version: string, than: string): boolean {
  const [a, b] = [version, than].map((v) => v.split('.').map(Number));
  const at = [0, 1, 2].find((i) => (a?.[i] ?? 0) !== (b?.[i] ?? 0));
  return at !== undefined && (a?.[at] ?? 0) < (b?.[at] ?? 0);
}

/** Reports progress from the output of `go build -v`, which has a line for each package that it starts to compile. */
function reportBuildProgress({ name, count, usually }: GoBuild, progress: Progress) {
  const started = performance.now();
  const seen = { packages: 0, downloads: 0 };
  const elapsed = () => renderSeconds((performance.now() - started) / 1000);
  const state = () => {
    if (seen.packages === 0) return `${seen.downloads} modules downloaded`;
    const total = seen.packages <= count ? ` of about ${count}` : ''; // more if Go's own cache was cleaned
    return `${seen.packages}${total} packages compiled`;
  };
  progress.say(`Building ${name} from Go modules (only once, usually ${usually}) …`);
  const timer = setInterval(
    () => progress.say(`Building ${name}: ${state()} after ${elapsed()} …`),
    PROGRESS_INTERVAL_MILLISECONDS,
  );
  return {
    onLine: (line: string) => {
      if (line.startsWith('go: downloading')) seen.downloads++;
      else if (!line.startsWith('go: ')) seen.packages++;
    },
    done: () => progress.say(`Built ${name} in ${elapsed()}`),
    stop: () => clearInterval(timer),
  };
}

function renderSeconds(seconds: number): string {
  const [minutes, rest] = [Math.floor(seconds / 60), Math.round(seconds % 60)];
  return minutes > 0 ? `${minutes} min ${rest} s` : `${rest} s`;
}

/** The last lines of Go's output, without the lines that only name a package. */
function lastWords(output: string): string {
  const lines = output.split('\n').filter((line) => line.includes(' '));
  return lines.slice(-5).join('; ') || 'go build failed';
}
