import { isRecord } from '../../../../schemas/values/is-record.ts';

/** The part of a live value that the inputs mention. */
export function shapeByInputs(live: unknown, inputs: unknown): unknown {
  if (Array.isArray(live) && Array.isArray(inputs))
    return live.map((value: unknown, i) => (i < inputs.length ? shapeByInputs(value, inputs[i]) : value));
  if (!isRecord(live) || !isRecord(inputs)) return live;
  const known = Object.keys(inputs).filter((key) => key in live);
  return Object.fromEntries(known.map((key) => [key, shapeByInputs(live[key], inputs[key])]));
}

/**
 * The inputs with drift: a value that differs from what the API server would make now (`applied`) is taken from `live`.
 * A value that the server writes differently (`1000m` as `1`), fills in, or keeps for others is no difference.
 */
export function findDrift(inputs: unknown, { applied, live }: { applied: unknown; live: unknown }): unknown {
  if (isSame(applied, live)) return inputs;
  if (isRecord(inputs) && isRecord(applied) && isRecord(live)) {
    const there = Object.keys(inputs).filter((key) => key in live || !(key in applied));
    return Object.fromEntries(
      there.map((key) => [key, findDrift(inputs[key], { applied: applied[key], live: live[key] })]),
    );
  }
  if (Array.isArray(inputs) && Array.isArray(applied) && Array.isArray(live) && isSameLength(inputs, applied, live))
    return inputs.map((value: unknown, i): unknown =>
      findDrift(value, { applied: applied[i] as unknown, live: live[i] as unknown }),
    );
  return shapeByInputs(live, inputs);
}

function isSameLength(...lists: readonly (readonly unknown[])[]): boolean {
  return new Set(lists.map((list) => list.length)).size === 1;
}

/** Whether two values are equal, in any order of their fields. */
function isSame(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((v, i) => isSame(v, b[i]));
  if (!isRecord(a) || !isRecord(b)) return a === b;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].every((key) => isSame(a[key], b[key]));
}
