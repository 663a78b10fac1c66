import pb from '@pulumi/pulumi/proto/provider_pb.js';
import pluginPb from '@pulumi/pulumi/proto/plugin_pb.js';
import emptyPb from 'google-protobuf/google/protobuf/empty_pb.js';
import { diffProperties } from './diff-properties.ts';
import type { EngineLog } from './engine-log.ts';
import { InitFailed } from './resource-init-error.ts';
import { fromStruct, makeDiff, makeInitFailure, toStruct } from './messages.ts';
import type { Operations } from './operations.ts';
import type { CheckRequest, Context, Provider, ResourceType } from './provider.ts';
import { makeUnaryCall } from './serve-plugin.ts';

/** What the calls of one provider share. */
export interface ProviderSession {
  readonly provider: Provider;
  readonly operations: Operations;
  readonly engineLog: EngineLog;
}

/**
 * Makes the gRPC calls of a provider. The provider does not declare support for secrets, so the engine passes plain values
 * and marks every output that has the name of a secret input. With that support, every plain object would contain wrappers,
 * and the provider would have to mark secret outputs itself.
 */
export function makeProviderCalls(session: ProviderSession) {
  return {
    ...makeConfigurationCalls(session),
    ...makeComparisonCalls(session.provider),
    ...makeResourceCalls(session),
  };
}

/** The calls about the provider itself. */
function makeConfigurationCalls({ provider, operations, engineLog }: ProviderSession) {
  return {
    handshake: makeUnaryCall(() => new pb.ProviderHandshakeResponse()),
    getPluginInfo: makeUnaryCall(() => new pluginPb.PluginInfo().setVersion(provider.version)),
    getSchema: makeUnaryCall(() => new pb.GetSchemaResponse().setSchema('{}')),
    checkConfig: makeUnaryCall((request: pb.CheckRequest) => new pb.CheckResponse().setInputs(request.getNews())),
    diffConfig: makeUnaryCall((request: pb.DiffRequest) => {
      const [before, after] = [fromStruct(request.getOldInputs()), fromStruct(request.getNews())] as Configuration[];
      const replaces = provider.replaces?.(before ?? {}, after ?? {}) ?? [];
      const response = new pb.DiffResponse().setReplacesList([...replaces]).setDiffsList([...replaces]);
      // Without replaces, the engine compares the settings itself and updates the provider in place.
      return replaces.length > 0 ? response.setChanges(pb.DiffResponse.DiffChanges.DIFF_SOME) : response;
    }),
    configure: makeUnaryCall((request: pb.ConfigureRequest) => {
      const variables = [...request.getVariablesMap().entries()];
      provider.configure?.(Object.fromEntries(variables.map(([key, value]) => [key.replace(/^.*:/, ''), value])));
      return new pb.ConfigureResponse().setSupportspreview(true).setSupportsAutonamingConfiguration(true);
    }),
    // Only where the engine did not start the provider: it is then the engine's first call, or the second.
    attach: makeUnaryCall((request: pluginPb.PluginAttach) => {
      engineLog.connect(request.getAddress());
      return new emptyPb.Empty();
    }),
    cancel: makeUnaryCall(() => {
      operations.cancel('Cannot continue: the update was cancelled');
      return new emptyPb.Empty();
    }),
  };
}

/** The calls that only compare. */
function makeComparisonCalls(provider: Provider) {
  return {
    check: makeUnaryCall(async (request: pb.CheckRequest) => {
      const checkRequest = readCheck(request);
      const checked = await (findResourceType(provider, request).check?.(checkRequest) ?? {
        inputs: checkRequest.inputs,
      });
      const failures = (checked.failures ?? []).map((f) =>
        new pb.CheckFailure().setProperty(f.property).setReason(f.reason),
      );
      return new pb.CheckResponse().setInputs(toStruct(checked.inputs)).setFailuresList(failures);
    }),
    diff: makeUnaryCall(async (request: pb.DiffRequest) => {
      const resource = findResourceType(provider, request);
      const [before, after] = [fromStruct(request.getOldInputs()), fromStruct(request.getNews())];
      const compare = (inputs: object) => Promise.resolve(resource.comparable?.(inputs) ?? inputs);
      const [old, now] = await Promise.all([compare(before), compare(after)]);
      return makeDiff(diffProperties(old, now), {
        replaces: (path) => resource.replaces?.(path, before, after) ?? false,
        deleteBeforeReplace: resource.deletesFirst?.(before, after) ?? false,
      });
    }),
  };
}

function readCheck(request: pb.CheckRequest): CheckRequest<object> {
  const [old, autonaming] = [request.getOlds(), request.getAutonaming()];
  return {
    name: request.getName(),
    inputs: fromStruct(request.getNews()),
    oldInputs: old && old.getFieldsMap().getLength() > 0 ? fromStruct(old) : undefined,
    randomSeed: request.getRandomseed_asU8(),
    autonaming: autonaming && {
      disabled: autonaming.getMode() === pb.CheckRequest.AutonamingOptions.Mode.DISABLE,
      proposedName: autonaming.getProposedName(),
    },
  };
}

/** The calls that read or change actual resources. */
function makeResourceCalls(session: ProviderSession) {
  const act = makeOperationRunner(session);
  return {
    create: makeUnaryCall((request: pb.CreateRequest) => {
      const inputs = fromStruct(request.getProperties());
      return act(request, inputs, async (resource, context) => {
        const { id, outputs } = await resource.create({ ...named(request), inputs }, context);
        return new pb.CreateResponse().setId(context.preview ? '' : id).setProperties(toStruct(outputs));
      });
    }),
    update: makeUnaryCall((request: pb.UpdateRequest) => {
      const inputs = fromStruct(request.getNews());
      const old = {
        oldInputs: fromStruct(request.getOldInputs()),
        oldOutputs: fromStruct(request.getOlds()),
        ignoreChanges: request.getIgnorechangesList(),
      };
      return act(request, inputs, async (resource, context) => {
        const outputs = await resource.update({ ...named(request), id: request.getId(), inputs, ...old }, context);
        return new pb.UpdateResponse().setProperties(toStruct(outputs));
      });
    }),
    read: makeUnaryCall((request: pb.ReadRequest) => {
      const existing = { inputs: fromStruct(request.getInputs()), outputs: fromStruct(request.getProperties()) };
      return act(request, existing.inputs, async (resource, context) => {
        const found = await resource.read({ ...named(request), id: request.getId(), ...existing }, context);
        if (!found) return new pb.ReadResponse(); // an empty id means that the resource no longer exists
        const [inputs, outputs] = [toStruct(found.inputs), toStruct(found.outputs)];
        return new pb.ReadResponse().setId(request.getId()).setInputs(inputs).setProperties(outputs);
      });
    }),
    delete: makeUnaryCall((request: pb.DeleteRequest) => {
      const existing = { inputs: fromStruct(request.getOldInputs()), outputs: fromStruct(request.getProperties()) };
      return act(request, existing.inputs, async (resource, context) => {
        await resource.delete({ ...named(request), id: request.getId(), ...existing }, context);
        return new emptyPb.Empty();
      });
    }),
  };
}

/**
 * Makes the function that runs operations. They can be cancelled, and the engine keeps resources that are not ready.
 */
function makeOperationRunner({ provider, operations, engineLog }: ProviderSession) {
  return async <T>(
    request: OperationRequest,
    inputs: object,
    work: (resource: AnyResource, context: Context) => Promise<T>,
  ): Promise<T> => {
    const context: Context = {
      preview: request.getPreview?.() ?? false,
      signal: operations.signal,
      timeoutSeconds: request.getTimeout() || undefined,
      log: engineLog.of(request.getUrn()),
    };
    try {
      return await operations.run(() => work(findResourceType(provider, request), context));
    } catch (e) {
      throw e instanceof InitFailed ? makeInitFailure(e, inputs) : e;
    } finally {
      await engineLog.flush(); // the engine drops log lines about a finished resource
    }
  };
}

type AnyResource = ResourceType<object, object>;
type Configuration = Readonly<Record<string, unknown>>;

interface ResourceRequest {
  getUrn(): string;
  getName(): string;
  getType(): string;
}

interface OperationRequest extends ResourceRequest {
  getTimeout(): number;
  getPreview?(): boolean;
}

function named(request: ResourceRequest): { readonly urn: string; readonly name: string } {
  return { urn: request.getUrn(), name: request.getName() };
}

function findResourceType(provider: Provider, request: ResourceRequest): AnyResource {
  const { resources } = provider;
  const resource = typeof resources === 'function' ? resources(request.getType()) : resources[request.getType()];
  if (resource) return resource;
  const known = typeof resources === 'function' ? 'another one' : `one of ${Object.keys(resources).join(', ')}`;
  throw new TypeError(`Cannot manage a resource of type "${request.getType()}": expected ${known}`);
}
