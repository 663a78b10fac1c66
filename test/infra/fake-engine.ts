import * as grpc from '@grpc/grpc-js';
import engineGrpc from '@pulumi/pulumi/proto/engine_grpc_pb.js';
import enginePb from '@pulumi/pulumi/proto/engine_pb.js';
import pb from '@pulumi/pulumi/proto/language_pb.js';
import monitorGrpc from '@pulumi/pulumi/proto/resource_grpc_pb.js';
import monitorPb from '@pulumi/pulumi/proto/resource_pb.js';
import emptyPb from 'google-protobuf/google/protobuf/empty_pb.js';
import { onTestFinished } from 'vitest';
import { makePluginServer, makeUnaryCall } from '../../pulumi-provider/serve-plugin.ts';

/** What one run of a program has said to the engine. */
export interface FakeEngine {
  readonly request: pb.RunRequest;
  readonly errors: readonly string[];
  /** Names of the resources that were registered. */
  readonly registered: readonly string[];
  /** Whether the program said that it has registered everything, after which an engine deletes the rest. */
  readonly isComplete: () => boolean;
}

/** Answers a program as the engine does: every resource is registered at once. */
export async function startFakeEngine(stack: string): Promise<FakeEngine> {
  const errors: string[] = [];
  const registered: string[] = [];
  let complete = false;
  const empty = () => new emptyPb.Empty();
  const monitor = await listen(monitorGrpc.ResourceMonitorService, {
    supportsFeature: makeUnaryCall(() => new monitorPb.SupportsFeatureResponse().setHassupport(true)),
    registerResource: makeUnaryCall((request: monitorPb.RegisterResourceRequest) => {
      registered.push(request.getName());
      const urn = `urn:pulumi:${stack}::test::${request.getType()}::${request.getName()}`;
      return new monitorPb.RegisterResourceResponse()
        .setUrn(urn)
        .setId(request.getName())
        .setObject(request.getObject());
    }),
    registerResourceOutputs: makeUnaryCall(empty),
    signalAndWaitForShutdown: makeUnaryCall(() => {
      complete = true;
      return empty();
    }),
  });
  const engine = await listen(engineGrpc.EngineService, {
    setRootResource: makeUnaryCall(() => new enginePb.SetRootResourceResponse()),
    log: makeUnaryCall((request: enginePb.LogRequest) => {
      if (request.getSeverity() === enginePb.LogSeverity.ERROR) errors.push(request.getMessage());
      return empty();
    }),
  });
  const request = new pb.RunRequest()
    .setProject('test')
    .setStack(stack)
    .setProgram('program.ts')
    .setMonitorAddress(monitor)
    .setArgsList([engine]);
  return { request, errors, registered, isComplete: () => complete };
}

async function listen(service: grpc.ServiceDefinition, calls: grpc.UntypedServiceImplementation): Promise<string> {
  const server = makePluginServer(service, calls);
  onTestFinished(() => server.forceShutdown());
  const port = await new Promise<number>((done, fail) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (e, bound) => (e ? fail(e) : done(bound)));
  });
  return `127.0.0.1:${port}`;
}
