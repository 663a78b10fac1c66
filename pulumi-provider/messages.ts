import * as grpc from '@grpc/grpc-js';
import providerPb from '@pulumi/pulumi/proto/provider_pb.js';
import statusPb from '@pulumi/pulumi/proto/status_pb.js';
import anyPb from 'google-protobuf/google/protobuf/any_pb.js';
import structPb from 'google-protobuf/google/protobuf/struct_pb.js';
import type { InitFailed } from './resource-init-error.ts';
import type { PropertyChange } from './diff-properties.ts';

type JsonObject = Parameters<typeof structPb.Struct.fromJavaScript>[0];

/** Converts a protobuf struct to a plain object. A missing struct becomes an empty object. */
export function fromStruct(struct: structPb.Struct | undefined): object {
  return struct?.toJavaScript() ?? {};
}

/** Makes a protobuf struct. Omits values that JSON does not have (undefined, functions). */
export function toStruct(value: object): structPb.Struct {
  return structPb.Struct.fromJavaScript(JSON.parse(JSON.stringify(value)) as JsonObject);
}

/** Makes the response to a diff request. `replaces` decides for each path whether it replaces the resource. */
export function makeDiff(
  changes: ReadonlyMap<string, PropertyChange>,
  {
    replaces,
    deleteBeforeReplace,
  }: { readonly replaces: (path: string) => boolean; readonly deleteBeforeReplace: boolean },
): providerPb.DiffResponse {
  const { DIFF_NONE, DIFF_SOME } = providerPb.DiffResponse.DiffChanges;
  const response = new providerPb.DiffResponse()
    .setChanges(changes.size > 0 ? DIFF_SOME : DIFF_NONE)
    .setHasdetaileddiff(true);
  const replacing = new Set<string>();
  for (const [path, change] of changes) {
    const replace = replaces(path);
    response
      .getDetaileddiffMap()
      .set(path, new providerPb.PropertyDiff().setKind(KINDS[change][replace ? 1 : 0]).setInputdiff(true));
    if (replace) replacing.add(readTopLevelProperty(path));
  }
  return response
    .setDiffsList([...new Set([...changes.keys()].map(readTopLevelProperty))])
    .setReplacesList([...replacing])
    .setDeletebeforereplace(deleteBeforeReplace && replacing.size > 0);
}

/** Makes the error that makes the engine keep a resource that exists but is not ready. */
export function makeInitFailure(failed: InitFailed, inputs: object): Partial<grpc.StatusObject> & Error {
  const detail = new providerPb.ErrorResourceInitFailed()
    .setId(failed.id)
    .setProperties(toStruct(failed.outputs))
    .setInputs(toStruct(failed.inputs ?? inputs))
    .setReasonsList([...failed.reasons]);
  const packed = new anyPb.Any();
  packed.pack(detail.serializeBinary(), 'pulumirpc.ErrorResourceInitFailed');
  const status = new statusPb.Status().setCode(grpc.status.UNKNOWN).setMessage(failed.message).setDetailsList([packed]);
  const metadata = new grpc.Metadata();
  metadata.add('grpc-status-details-bin', Buffer.from(status.serializeBinary()));
  return Object.assign(new Error(failed.message, { cause: failed }), { code: grpc.status.UNKNOWN, metadata });
}

const { Kind } = providerPb.PropertyDiff;
const KINDS = {
  add: [Kind.ADD, Kind.ADD_REPLACE],
  delete: [Kind.DELETE, Kind.DELETE_REPLACE],
  update: [Kind.UPDATE, Kind.UPDATE_REPLACE],
} as const;

function readTopLevelProperty(path: string): string {
  return path.split(/[.[]/, 1)[0] ?? path;
}
