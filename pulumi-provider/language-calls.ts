import pb from '@pulumi/pulumi/proto/language_pb.js';
import pluginPb from '@pulumi/pulumi/proto/plugin_pb.js';
import { readProviderPackages } from './read-provider-packages.ts';
import { makeUnaryCall } from './serve-plugin.ts';

/** The engine's questions about a Node program, besides running it. */
export const LANGUAGE_CALLS = {
  handshake: makeUnaryCall(() => new pb.LanguageHandshakeResponse()),
  getPluginInfo: makeUnaryCall(() => new pluginPb.PluginInfo()),
  about: makeUnaryCall(() => new pb.AboutResponse().setExecutable(process.execPath).setVersion(process.version)),
  getProgramDependencies: makeUnaryCall(() => new pb.GetProgramDependenciesResponse()),
  getRequiredPackages: makeUnaryCall(async (request: pb.GetRequiredPackagesRequest) => {
    const packages = await readProviderPackages(request.getInfo()?.getProgramDirectory() ?? '.');
    return new pb.GetRequiredPackagesResponse().setPackagesList(
      packages.map(({ name, version, server }) =>
        new pluginPb.PackageDependency().setKind('resource').setName(name).setVersion(version).setServer(server),
      ),
    );
  }),
};
