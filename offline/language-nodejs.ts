// pulumi-language-nodejs: runs Node programs for the Pulumi engine where Pulumi's own language host is not available.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import languageGrpc from '@pulumi/pulumi/proto/language_grpc_pb.js';
import pb from '@pulumi/pulumi/proto/language_pb.js';
import pluginPb from '@pulumi/pulumi/proto/plugin_pb.js';
import emptyPb from 'google-protobuf/google/protobuf/empty_pb.js';
import { engineAddress, onEngineGone, servePlugin, unary } from '../provider/serve-plugin.ts';
import { Programs } from './running-programs.ts';
import { readProviderPackages } from './read-provider-packages.ts';

const programs = new Programs();
onEngineGone(() => {
  programs.stop();
  setImmediate(() => process.exit(0));
});

servePlugin(languageGrpc.LanguageRuntimeService, {
  handshake: unary(() => new pb.LanguageHandshakeResponse()),
  getPluginInfo: unary(() => new pluginPb.PluginInfo()),
  about: unary(() => new pb.AboutResponse().setExecutable(process.execPath).setVersion(process.version)),
  getProgramDependencies: unary(() => new pb.GetProgramDependenciesResponse()),
  getRequiredPackages: unary(async (request: pb.GetRequiredPackagesRequest) => {
    const packages = await readProviderPackages(request.getInfo()?.getProgramDirectory() ?? '.');
    return new pb.GetRequiredPackagesResponse().setPackagesList(
      packages.map(({ name, version, server }) =>
        new pluginPb.PackageDependency().setKind('resource').setName(name).setVersion(version).setServer(server),
      ),
    );
  }),
  run: unary(async (request: pb.RunRequest) => {
    const folder = request.getInfo()?.getProgramDirectory() ?? request.getPwd();
    const runner = createRequire(join(folder, 'package.json')).resolve('@pulumi/pulumi/cmd/run');
    const ended = await programs.run([runner, ...makeArguments(request), request.getProgram()], {
      cwd: folder,
      env: makeEnvironment(request),
    });
    if (ended.code === 0) return new pb.RunResponse();
    if (ended.code === PROGRAM_HAS_SAID_WHY || ended.stopped) return new pb.RunResponse().setBail(true);
    return new pb.RunResponse().setError(`The program ended with ${ended.signal ?? `exit code ${String(ended.code)}`}`);
  }),
  cancel: unary(() => {
    programs.stop();
    return new emptyPb.Empty();
  }),
});

/** The exit code of `@pulumi/pulumi/cmd/run` for an error that it has already reported to the engine. */
const PROGRAM_HAS_SAID_WHY = 32;

/** The flags of `@pulumi/pulumi/cmd/run`. */
function makeArguments(request: pb.RunRequest): readonly string[] {
  const flags = {
    monitor: request.getMonitorAddress(),
    engine: engineAddress() ?? '',
    organization: request.getOrganization(),
    project: request.getProject(),
    stack: request.getStack(),
    pwd: request.getPwd(),
    parallel: String(request.getParallel()),
    'root-directory': request.getInfo()?.getRootDirectory() ?? '',
  };
  const given = Object.entries(flags).filter(([, value]) => value !== '');
  return [...given.flatMap(([flag, value]) => [`--${flag}`, value]), ...(request.getDryrun() ? ['--dry-run'] : [])];
}

function makeEnvironment(request: pb.RunRequest): NodeJS.ProcessEnv {
  return {
    ...process.env,
    PULUMI_CONFIG: JSON.stringify(Object.fromEntries(request.getConfigMap().entries())),
    PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
  };
}
