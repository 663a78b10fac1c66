import { type ProcessResult, runProcess } from '../../../system/run-process.ts';
import { locateUnpackedDockerClient } from '../../../cluster/kubernetes-node/docker-engine.ts';

/** The last version with built-in BuildKit; later ones need the plugin buildx. */
const LAST_WITH_BUILDKIT = 22;

/** A `docker` that can build with BuildKit: the one on the PATH, else the one unpacked with our node's engine. */
export async function findDockerClient(): Promise<string> {
  const candidates = ['docker', await locateUnpackedDockerClient()];
  for (const program of candidates) if (await canUseBuildKit(program)) return program;
  throw new Error(
    'Cannot build images: there is no docker on the PATH that can use BuildKit, expected one with the plugin buildx (Debian: docker-buildx), or a version before 23',
  );
}

async function canUseBuildKit(program: string): Promise<boolean> {
  const version = await tryToRun(program, ['--version']);
  const major = Number(/version (\d+)\./.exec(version?.stdout ?? '')?.[1] ?? Number.NaN);
  if (Number.isNaN(major)) return false;
  return major <= LAST_WITH_BUILDKIT || (await tryToRun(program, ['buildx', 'version']))?.code === 0;
}

function tryToRun(program: string, args: readonly string[]): Promise<ProcessResult | undefined> {
  return runProcess(program, args).catch(() => undefined);
}
