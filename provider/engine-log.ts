import * as grpc from '@grpc/grpc-js';
import engineGrpc from '@pulumi/pulumi/proto/engine_grpc_pb.js';
import enginePb from '@pulumi/pulumi/proto/engine_pb.js';
import type { Log } from './provider.ts';

/** Makes the function that gives each resource (by URN) its log at the engine; without an address it says nothing. */
export function connectLog(address: string | undefined): (urn: string) => Log {
  const engine =
    address === undefined ? undefined : new engineGrpc.EngineClient(address, grpc.credentials.createInsecure());
  const { INFO, WARNING, ERROR } = enginePb.LogSeverity;

  return (urn) => {
    const say = (severity: enginePb.LogSeverity, ephemeral: boolean) => (message: string) => {
      const request = new enginePb.LogRequest()
        .setSeverity(severity)
        .setEphemeral(ephemeral)
        .setUrn(urn)
        .setMessage(message);
      engine?.log(request, () => undefined); // an engine that does not listen any more is no reason to fail
    };
    return {
      progress: say(INFO, true),
      info: say(INFO, false),
      warning: say(WARNING, false),
      error: say(ERROR, false),
    };
  };
}
