import type { KubernetesObject } from './objects/kubernetes-object.ts';
import { formatGroupKind } from './objects/kubernetes-object.ts';
import { makeSecret } from '../../../pulumi-provider/values.ts';

type Data = Readonly<Record<string, string>>;

/** Makes the engine encrypt and hide the data of a Secret; any other object stays the same. */
export function hideData(object: KubernetesObject): KubernetesObject {
  if (formatGroupKind(object) !== '/Secret') return object;
  const hidden = ['data', 'stringData'].filter((name) => object[name] !== undefined);
  return { ...object, ...Object.fromEntries(hidden.map((name) => [name, makeSecret(object[name])])) };
}

/** A live Secret with its data also as `stringData`, as in the inputs, because `stringData` is write-only. */
export function restoreStringData(live: KubernetesObject, inputs: KubernetesObject): KubernetesObject {
  if (formatGroupKind(live) !== '/Secret' || typeof inputs['stringData'] !== 'object') return live;
  const data = (live['data'] ?? {}) as Data;
  const names = Object.keys(inputs['stringData'] as Data).filter((name) => data[name] !== undefined);
  const strings = names.map((name) => [name, Buffer.from(data[name] ?? '', 'base64').toString()]);
  return { ...live, stringData: Object.fromEntries(strings) as Data };
}
