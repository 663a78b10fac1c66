import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomically } from '../system/atomic-files.ts';
import type { Progress } from '../system/progress.ts';
import { childEnvironment, runProcess } from '../system/run-process.ts';

/** The newest Pulumi whose command can be had as a Go module; go.mod says the same. */
export const BUILT_VERSION = '3.225.0';

const SOURCE = join(import.meta.dirname, 'pulumi');
const LANGUAGE_HOST = join(import.meta.dirname, 'pulumi-language-nodejs');
const COMMAND = 'github.com/pulumi/pulumi/pkg/v3/cmd/pulumi';
const FLAGS = [
  '-trimpath',
  '-ldflags',
  `-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${BUILT_VERSION}`,
];
/** `go list -deps` at this version, on linux-amd64. */
const PACKAGES = 1444;
const SAY_EVERY_MILLISECONDS = 15_000;

/** What a built engine depends on: the same key is the same binary. */
export async function buildKey(): Promise<string> {
  const sources = await Promise.all(['go.mod', 'go.sum'].map((file) => readFile(join(SOURCE, file), 'utf8')));
  return createHash('sha256')
    .update(JSON.stringify([FLAGS, ...sources]))
    .digest('hex')
    .slice(0, 10);
}

/** Builds the real `pulumi` into the folder `bin`, from Go modules, with our Node language host beside it. */
export async function buildPulumi(
  bin: string,
  { progress, signal }: { readonly progress: Progress; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  await requireGo();
  const watch = watchBuild(progress);
  try {
    const built = await runProcess('go', ['build', '-v', ...FLAGS, '-o', join(bin, 'pulumi'), COMMAND], {
      cwd: SOURCE,
      env: childEnvironment(BUILD_ENVIRONMENT),
      onLine: watch.onLine,
      ...(signal && { signal }),
    });
    if (built.code !== 0) throw new Error(`Cannot build Pulumi ${BUILT_VERSION}: ${lastWords(built.stderr)}`);
    watch.done();
  } finally {
    watch.stop();
  }
  await installLanguageHost(bin);
}

/** Puts our Node language host beside a built engine, where it is not yet: a script that finds this code when it runs. */
export async function installLanguageHost(bin: string): Promise<void> {
  const file = join(bin, 'pulumi-language-nodejs');
  const [ours, there] = await Promise.all([readFile(LANGUAGE_HOST, 'utf8'), readFile(file, 'utf8').catch(() => '')]);
  if (ours !== there) await writeFileAtomically(file, ours, 0o755);
}

const BUILD_ENVIRONMENT = {
  CGO_ENABLED: '0',
  GOFLAGS: '-mod=readonly',
  GOWORK: 'off',
  GOTOOLCHAIN: 'local', // another toolchain would have to be downloaded
  GOGC: '400', // the compiler's own memory is no concern: 40 % less time
};

async function requireGo(): Promise<void> {
  const wanted = /^go (\S+)$/m.exec(await readFile(join(SOURCE, 'go.mod'), 'utf8'))?.[1] ?? '';
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

/** Says how far the build is, from what `go build -v` prints: a line for each package that it begins to compile. */
function watchBuild(progress: Progress) {
  const started = performance.now();
  const seen = { packages: 0, downloads: 0 };
  const elapsed = () => renderSeconds((performance.now() - started) / 1000);
  const state = () =>
    seen.packages > 0
      ? `${seen.packages} of about ${PACKAGES} packages compiled`
      : `${seen.downloads} modules downloaded`;
  progress.say(`Building Pulumi ${BUILT_VERSION} from Go modules: once, usually 2 to 5 minutes …`);
  const timer = setInterval(
    () => progress.say(`Building Pulumi: ${state()} after ${elapsed()} …`),
    SAY_EVERY_MILLISECONDS,
  );
  return {
    onLine: (line: string) => {
      if (line.startsWith('go: downloading')) seen.downloads++;
      else if (!line.startsWith('go: ')) seen.packages++;
    },
    done: () => progress.say(`Built Pulumi ${BUILT_VERSION} in ${elapsed()}`),
    stop: () => clearInterval(timer),
  };
}

function renderSeconds(seconds: number): string {
  const [minutes, rest] = [Math.floor(seconds / 60), Math.round(seconds % 60)];
  return minutes > 0 ? `${minutes} min ${rest} s` : `${rest} s`;
}

/** The end of what Go printed, less the names of packages. */
function lastWords(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => line.includes(' '));
  return lines.slice(-5).join('; ') || 'go build failed';
}
