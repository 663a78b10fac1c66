/** Marks a wrapped value in the engine's events; the marker's own value says what is wrapped. */
const WRAPPED = '4dabf18193072939515e22adb298388d';
const SECRET = '1b47061264138c4ac30d75fd1eb44270';
const UNKNOWN = '04da6b54-80e4-46f7-96ec-b56ff0331ba9';

const HIDDEN = '[secret]';

/**
 * The value at a path in Pulumi's notation (`entities[0].name`, `tags["a.b"]`); undefined if the path does not exist.
 */
export function valueAt(value: unknown, path: string): unknown {
  const steps = [...path.matchAll(/\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|([^.[\]]+)/g)];
  return steps.reduce<unknown>((at, [, quoted, index, name]) => {
    const key = quoted === undefined ? (index ?? name ?? '') : (JSON.parse(`"${quoted}"`) as string);
    if (at === HIDDEN) return at; // every part of a secret is secret
    return isObject(at) ? at[key] : undefined;
  }, value);
}

/**
 * The values before and after, with a value hidden in both if it is secret on either side. A value that becomes secret
 * was secret all the time, and one that stops being secret may be a mistake. A secret that moves, within a list or to
 * another name, is hidden too.
 */
export function redactPair(before: unknown, after: unknown): { readonly before: unknown; readonly after: unknown } {
  if (isSecret(before) || isSecret(after)) return { before: hide(before), after: hide(after) };
  if (Array.isArray(before) || Array.isArray(after)) {
    if (hasSecret(before) || hasSecret(after)) return { before: hide(before), after: hide(after) };
    return { before: redactValue(before), after: redactValue(after) };
  }
  if (!isObject(before) || !isObject(after)) return { before: redactValue(before), after: redactValue(after) };
  const [gone, fresh] = [without(before, after), without(after, before)];
  const moved = hasSecret(gone) || hasSecret(fresh);
  const both = Object.keys(before).filter((key) => key in after);
  const pairs = both.map((key) => [key, redactPair(before[key], after[key])] as const);
  const one = moved ? hideAll : redactAll;
  return {
    before: { ...Object.fromEntries(pairs.map(([key, pair]) => [key, pair.before])), ...one(gone) },
    after: { ...Object.fromEntries(pairs.map(([key, pair]) => [key, pair.after])), ...one(fresh) },
  };
}

type Values = Readonly<Record<string, unknown>>;

/** The entries whose key the other record does not have. */
function without(values: Values, other: Values): Values {
  return Object.fromEntries(Object.entries(values).filter(([key]) => !(key in other)));
}

function hideAll(values: Values): Values {
  return Object.fromEntries(Object.entries(values).map(([key, v]) => [key, hide(v)]));
}

function redactAll(values: Values): Values {
  return Object.fromEntries(Object.entries(values).map(([key, v]) => [key, redactValue(v)]));
}

function hide(value: unknown): unknown {
  return value === undefined ? undefined : HIDDEN;
}

function hasSecret(value: unknown): boolean {
  return isSecret(value) || (isObject(value) && Object.values(value).some(hasSecret));
}

function isSecret(value: unknown): boolean {
  return isObject(value) && value[WRAPPED] === SECRET;
}

/** The same value with every secret as "[secret]" and every value that is not known yet as "[unknown]". */
export function redactValue(value: unknown): unknown {
  if (value === UNKNOWN) return '[unknown]';
  if (Array.isArray(value)) return value.map(redactValue);
  if (!isObject(value)) return value;
  if (isSecret(value)) return HIDDEN;
  return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, redactValue(v)]));
}

function isObject(value: unknown): value is Values {
  return typeof value === 'object' && value !== null;
}
