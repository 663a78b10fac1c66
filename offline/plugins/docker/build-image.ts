import { makeChildEnvironment, type ProcessResult, runProcess } from '../../../system/run-process.ts';
import type { Context } from '../../../pulumi-provider/provider.ts';
import { findDockerClient } from './docker-client.ts';
import { withDockerConfig } from './docker-config.ts';
import { completeBuild, type ImageInputs, parseRegistry, parseRepository } from './image-inputs.ts';

const LAST_LINES = 20;

/** A built image by its id, with its name in the registry if it was pushed. */
export interface BuiltImage {
  readonly id: string;
  /** `REPOSITORY@sha256:…`, or the id when it was not pushed. */
  readonly repoDigest: string;
}

/** Builds an image with the engine at `host` (undefined: Docker's own choice) and pushes it if `push` is set. */
export async function buildImage(
  inputs: ImageInputs,
  { host, push }: { readonly host: string | undefined; readonly push: boolean },
  context: Context,
): Promise<BuiltImage> {
  const { imageName, registry } = inputs;
  const program = await findDockerClient();
  const login = registry && { ...registry, server: parseHost(registry.server ?? parseRegistry(imageName)) };
  return withDockerConfig(login, async (folder) => {
    const docker = makeDockerRunner({ program, host, folder, builder: inputs.build?.builderVersion }, context);
    const since = performance.now();
    await docker('build', imageName, makeBuildArguments(inputs));
    context.log.info(`Built ${imageName} in ${secondsSince(since)} s`);
    const id = (await docker('inspect', imageName, ['image', 'inspect', '--format', '{{.Id}}', imageName])).trim();
    if (!push) return { id, repoDigest: id };
    const pushed = await docker('push', imageName, ['push', imageName]);
    const repoDigest = `${parseRepository(imageName)}@${readDigest(imageName, pushed)}`;
    context.log.info(`Pushed ${repoDigest}`);
    return { id, repoDigest };
  });
}

/** The arguments of `docker build`. */
export function makeBuildArguments({ imageName, build }: ImageInputs): readonly string[] {
  const { context, dockerfile, args = {}, cacheFrom, platform, target, network, addHosts = [] } = completeBuild(build);
  const options: Readonly<Record<string, readonly (string | undefined)[]>> = {
    '--tag': [imageName],
    '--file': [dockerfile],
    '--progress': build?.builderVersion === 'BuilderV1' ? [] : ['plain'],
    '--platform': [platform],
    '--target': [target],
    '--network': [network],
    '--add-host': addHosts,
    '--build-arg': Object.entries(args).map(([name, value]) => `${name}=${value}`),
    '--cache-from': cacheFrom?.images ?? [],
  };
  const given = Object.entries(options).flatMap(([option, values]) =>
    values.flatMap((value) => (value === undefined ? [] : [option, value])),
  );
  return ['build', ...given, '--', context];
}

interface DockerInvocation {
  readonly program: string;
  readonly host: string | undefined;
  /** The folder of Docker's configuration. */
  readonly folder: string;
  readonly builder: 'BuilderV1' | 'BuilderBuildKit' | undefined;
}

/** Makes the function that runs docker. Its lines go to the engine's log; a failure is thrown with its last lines. */
function makeDockerRunner(
  { program, host, folder, builder }: DockerInvocation,
  { signal, timeoutSeconds, log }: Context,
) {
  const until = timeoutSeconds && performance.now() + timeoutSeconds * 1000;
  const env = makeChildEnvironment({
    ...(host !== undefined && { DOCKER_HOST: host }),
    DOCKER_CONFIG: folder,
    DOCKER_BUILDKIT: builder === 'BuilderV1' ? '0' : '1',
    BUILDX_NO_DEFAULT_ATTESTATIONS: '1', // one manifest under the tag, instead of an index with an attestation
  });
  return async (verb: string, imageName: string, args: readonly string[]): Promise<string> => {
    const limit = until && { limitSeconds: Math.max(1, (until - performance.now()) / 1000) };
    const onLine = (line: string) => line.trim() !== '' && log.progress(line);
    const ran = await runProcess(program, args, { env, signal, onLine, ...limit });
    if (ran.code === 0) return ran.stdout;
    throw new Error(`Cannot ${verb} ${imageName}: ${lastWords(ran, timeoutSeconds)}`);
  };
}

function lastWords(ran: ProcessResult, timeoutSeconds: number | undefined): string {
  const lines = `${ran.stdout}\n${ran.stderr}`.split('\n').filter((line) => line.trim() !== '');
  const last = lines.slice(-LAST_LINES).join('\n');
  if (ran.timedOut) return `it took longer than ${timeoutSeconds ?? 0} s; last lines:\n${last}`;
  return lines.length > 1 ? `docker ended with ${ran.code}:\n${last}` : last || `docker ended with ${ran.code}`;
}

/** docker's last line is `TAG: digest: sha256:… size: 1154`. */
function readDigest(imageName: string, pushed: string): string {
  const found = /digest: (sha256:[0-9a-f]{64}) size: /.exec(pushed)?.[1];
  if (found !== undefined) return found;
  throw new Error(`Cannot read the digest of ${imageName}: docker push did not print it, expected "digest: sha256:…"`);
}

/** `https://registry.example/v2/` → `registry.example`, the key of Docker's login. */
function parseHost(server: string): string {
  return server.replace(/^https?:\/\//, '').split('/')[0] ?? server;
}

function secondsSince(moment: number): string {
  return ((performance.now() - moment) / 1000).toFixed(1);
}
