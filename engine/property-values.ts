/** Marks a wrapped value in the engine's events; the marker's own value says what it wraps. */
const WRAPPED = '4dabf18193072939515e22adb298388d';
const SECRET = '1b47061264138c4ac30d75fd1eb44270';
const UNKNOWN = '04da6b54-80e4-46f7-96ec-b56ff0331ba9';

/** The value at a path in Pulumi's notation (`entities[0].name`, `tags["a.b"]`); undefined where there is none. */
export function valueAt(value: unknown, path: string): unknown {
  const steps = [...path.matchAll(/\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|([^.[\]]+)/g)];
  return steps.reduce<unknown>((at, [, quoted, index, name]) => {
    const key = quoted === undefined ? (index ?? name ?? '') : (JSON.parse(`"${quoted}"`) as string);
    return isObject(at) ? at[key] : undefined;
  }, value);
}

/** The same value with every secret as "[secret]" and every value that is not known yet as "[unknown]". */
export function redactValue(value: unknown): unknown {
  if (value === UNKNOWN) return '[unknown]';
  if (Array.isArray(value)) return value.map(redactValue);
  if (!isObject(value)) return value;
  if (value[WRAPPED] === SECRET) return '[secret]';
  return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, redactValue(v)]));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
