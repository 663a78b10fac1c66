// pulumi-language-nodejs: runs Node programs for the Pulumi engine where Pulumi's own language host is not available.
import '../system/node-20.ts';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import languageGrpc from '@pulumi/pulumi/proto/language_grpc_pb.js';
import pb from '@pulumi/pulumi/proto/language_pb.js';
import emptyPb from 'google-protobuf/google/protobuf/empty_pb.js';
import { LANGUAGE_CALLS } from '../pulumi-provider/language-calls.ts';
import { readEngineAddress, onEngineEnd, servePlugin, makeUnaryCall } from '../pulumi-provider/serve-plugin.ts';
import { LEAN_SDK_OPTION } from '../system/lean-pulumi-sdk/node-options.ts';
import { RunningPrograms } from './running-programs.ts';

const programs = new RunningPrograms();
onEngineEnd(() => {
  programs.stop();
  setImmediate(() => process.exit(0));
});

servePlugin(languageGrpc.LanguageRuntimeService, {
  ...LANGUAGE_CALLS,
  run: makeUnaryCall(async (request: pb.RunRequest) => {
    const folder = request.getInfo()?.getProgramDirectory() ?? request.getPwd();
    const runner = createRequire(join(folder, 'package.json')).resolve('@pulumi/pulumi/cmd/run');
    const ended = await programs.run([LEAN_SDK_OPTION, runner, ...makeArguments(request), request.getProgram()], {
      cwd: folder,
      env: makeEnvironment(request),
    });
    if (ended.code === 0) return new pb.RunResponse();
    if (ended.code === ERROR_ALREADY_REPORTED || ended.stopped) return new pb.RunResponse().setBail(true);
    return new pb.RunResponse().setError(`The program ended with ${ended.signal ?? `exit code ${String(ended.code)}`}`);
  }),
  cancel: makeUnaryCall(() => {
    programs.stop();
    return new emptyPb.Empty();
  }),
});

/** The exit code of `@pulumi/pulumi/cmd/run` for an error that it has already reported to the engine. */
const ERROR_ALREADY_REPORTED = 32;

/** The flags of `@pulumi/pulumi/cmd/run`. */
function makeArguments(request: pb.RunRequest): readonly string[] {
  const flags = {
    monitor: request.getMonitorAddress(),
    engine: readEngineAddress() ?? '',
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
