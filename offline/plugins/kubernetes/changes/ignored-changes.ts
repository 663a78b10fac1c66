import type { KubernetesObject } from '../objects/kubernetes-object.ts';

/**
 * The inputs with the live values of ignored fields. A value that something else sets there, such as an autoscaler's
 * number of replicas, is neither reset nor given up.
 */
export function keepIgnoredFields(
  inputs: KubernetesObject,
  { live, paths }: { readonly live: KubernetesObject; readonly paths: readonly string[] },
): KubernetesObject {
  return paths.reduce<unknown>(
    (value, path) => keepLiveValue(value, live, parsePath(path)),
    inputs,
  ) as KubernetesObject;
}

/** `spec.containers[0]["a.b"]` → its steps. */
function parsePath(path: string): readonly (string | number)[] {
  const steps = path.matchAll(/\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|([^.[\]]+)/g);
  return [...steps].map(([, quoted, index, name = '']) =>
    index === undefined ? (quoted?.replaceAll(/\\(.)/g, '$1') ?? name) : Number(index),
  );
}

function keepLiveValue(value: unknown, live: unknown, [step, ...rest]: readonly (string | number)[]): unknown {
  if (live === undefined || live === null) return value;
  if (step === undefined) return live;
  const next = (live as Record<string | number, unknown>)[step];
  if (next === undefined) return value;
  if (Array.isArray(value))
    return value.map((item: unknown, i) => (i === step ? keepLiveValue(item, next, rest) : item));
  const fields = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  return { ...fields, [step]: keepLiveValue(fields[step], next, rest) };
}
