import * as grpc from '@grpc/grpc-js';
import engineGrpc from '@pulumi/pulumi/proto/engine_grpc_pb.js';
import type enginePb from '@pulumi/pulumi/proto/engine_pb.js';
import pluginPb from '@pulumi/pulumi/proto/plugin_pb.js';
import providerGrpc from '@pulumi/pulumi/proto/provider_grpc_pb.js';
import pb from '@pulumi/pulumi/proto/provider_pb.js';
import emptyPb from 'google-protobuf/google/protobuf/empty_pb.js';
import { expect, onTestFinished, test } from 'vitest';
import { fromStruct, toStruct } from '../../pulumi-provider/messages.ts';
import type { Provider, ResourceType } from '../../pulumi-provider/provider.ts';
import { serveProviderToEngine } from '../../pulumi-provider/provider-server.ts';
import { makePluginServer, makeUnaryCall } from '../../pulumi-provider/serve-plugin.ts';

const TYPE = 'test:index:Thing';

test('each connection of an engine has its own configuration, and a later one continues where there is only one', async () => {
  const { port } = await serve(makeEchoProvider);
  const old = await connect(port, '/old');
  expect(await create(old)).toEqual({ root: '/old' });
  // Without its first calls: the connection before was closed because nothing had used it.
  for (let times = 0; times < 2; times++) expect(await create(await connect(port))).toEqual({ root: '/old' });

  const moved = await connect(port, '/new');
  expect([await create(old), await create(moved)]).toEqual([{ root: '/old' }, { root: '/new' }]);
  await expect(create(await connect(port))).rejects.toThrow('has two configurations. Run the command again');
  expect(await create(old)).toEqual({ root: '/old' });
});

test('what a resource logs reaches the engine that connected', async () => {
  const { port } = await serve(makeEchoProvider);
  const said: string[] = [];
  const engine = makePluginServer(engineGrpc.EngineService, {
    log: makeUnaryCall((request: enginePb.LogRequest) => {
      said.push(`${request.getUrn()} ${request.getMessage()}`);
      return new emptyPb.Empty();
    }),
  });
  const at = await new Promise<number>((done) => {
    engine.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (_, bound) => done(bound));
  });
  onTestFinished(() => engine.forceShutdown());
  await create(await connect(port, '/here', `127.0.0.1:${at}`));
  expect(said).toEqual(['urn:thing made in /here']);
});

test('its end stops a running operation and waits for it', async () => {
  const steps: string[] = [];
  const thing: Partial<ResourceType<object, object>> = {
    create: async (_request, { signal }) => {
      steps.push('begin');
      await new Promise((done) => signal.addEventListener('abort', done));
      await new Promise((done) => setTimeout(done, 20));
      steps.push('stopped');
      throw signal.reason;
    },
  };
  const resources = { [TYPE]: thing as ResourceType<object, object> };
  const { port, close } = await serve(() => ({ version: '1.0.0', resources }));
  const call = create(await connect(port, '/here'));
  const failed = expect(call).rejects.toThrow();
  while (steps.length === 0) await new Promise((done) => setTimeout(done, 5));
  await close();
  expect(steps).toEqual(['begin', 'stopped']);
  await failed;
});

async function serve(makeProvider: () => Provider) {
  const server = await serveProviderToEngine(makeProvider);
  onTestFinished(server.close);
  return server;
}

/** A provider that creates nothing and returns its configuration. */
function makeEchoProvider(): Provider {
  let root: string | undefined;
  const thing: Partial<ResourceType<object, object>> = {
    create: (_request, { log }) => {
      if (root === undefined) throw new Error('not configured');
      log.info(`made in ${root}`);
      return Promise.resolve({ id: 'thing', outputs: { root } });
    },
  };
  return {
    version: '1.0.0',
    configure: (config) => void (root = config['root']),
    resources: { [TYPE]: thing as ResourceType<object, object> },
  };
}

/** Connects as an engine does. Without `root`, the connection has none of its first calls. */
async function connect(port: number, root?: string, engine = '127.0.0.1:1') {
  const client = new providerGrpc.ResourceProviderClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), {
    'grpc.use_local_subchannel_pool': 1, // a connection of its own
  });
  onTestFinished(() => client.close());
  if (root === undefined) return client;
  await ask((done) => client.handshake(new pb.ProviderHandshakeRequest(), done));
  await ask((done) => client.attach(new pluginPb.PluginAttach().setAddress(engine), done));
  const request = new pb.ConfigureRequest();
  request.getVariablesMap().set('test:config:root', root);
  await ask((done) => client.configure(request, done));
  return client;
}

async function create(client: providerGrpc.ResourceProviderClient): Promise<object> {
  const request = new pb.CreateRequest().setUrn('urn:thing').setType(TYPE).setName('thing').setProperties(toStruct({}));
  const response = await ask<pb.CreateResponse>((done) => client.create(request, done));
  return fromStruct(response.getProperties());
}

function ask<T>(call: (done: (e: Error | null, response: T) => void) => unknown): Promise<T> {
  return new Promise((done, fail) => {
    call((e, response) => (e ? fail(e) : done(response)));
  });
}
