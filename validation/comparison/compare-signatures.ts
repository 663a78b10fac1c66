import type { SignatureChange } from '../../schemas/report/comparison.ts';
import type { Signature } from '../../schemas/lock/signature.ts';
import { pluralize } from '../../schemas/values/pluralize.ts';
import { type Column, isRequired, readProperties, toColumn } from '../../schemas/lock/signature-column.ts';
import { renderJson } from './exact-json.ts';
import { isReadableAs, makeColumnOfTensor, renderType } from './column-types.ts';
import { findRequestEffect, nestPlace, type ValuePlace } from './request-effects.ts';

type Part = SignatureChange['part'];

const MAX_CHANGES = 200;
const MAX_DEPTH = 50;
const NAME_CHARACTERS = 200;
const REFUSED = { breaks: true, effect: 'fails' } as const;

/**
 * Compares the signatures of two versions for today's clients, breaking changes first. A request of today must stay valid,
 * and what is in an answer must stay what its readers expect. Pure.
 */
export function compareSignatures(old: Signature, now: Signature): readonly SignatureChange[] {
  const changes = [
    ...compareTypeHints(old, now),
    ...compareColumns('inputs', parsePart(old.inputs), parsePart(now.inputs), now.typeHints ? 'hint' : 'column'),
    ...compareColumns('outputs', parsePart(old.outputs), parsePart(now.outputs), 'column'),
    ...compareParameters(parsePart(old.params) ?? [], parsePart(now.params) ?? []),
  ];
  return [...changes.filter((c) => c.breaks), ...changes.filter((c) => !c.breaks)].slice(0, MAX_CHANGES);
}

/** Undefined: the signature has no such part. */
function parsePart(text: string | null): readonly Column[] | undefined {
  if (text === null) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value.map(toColumn) : undefined;
  } catch {
    return undefined; // the check of the model reports it
  }
}

function compareTypeHints(old: Signature, now: Signature): readonly SignatureChange[] {
  const [before, after] = [old, now].map((s) => (s.typeHints === true ? 'type hints: only `inputs`' : 'columns'));
  if (before === undefined || after === undefined || before === after) return [];
  return [{ part: 'inputs', name: '', change: 'retyped', old: before, new: after, breaks: now.typeHints === true }];
}

/**
 * Outputs that are no longer declared break clients, because the answers may lack what clients read. Whether any other part
 * that appears or goes breaks them cannot be known: a model without declared inputs may take every request.
 */
function compareColumns(
  part: Part,
  old: readonly Column[] | undefined,
  now: readonly Column[] | undefined,
  place: ValuePlace,
): readonly SignatureChange[] {
  if (!old || !now) {
    if (old === now) return [];
    const describe = (columns: readonly Column[] | undefined) => columns?.map((c) => renderType(c)).join(', ').slice(0, NAME_CHARACTERS) ?? null; // prettier-ignore
    return [
      {
        ...{ part, name: '', change: now ? 'added' : 'removed', old: describe(old), new: describe(now) },
        breaks: part === 'outputs' && !now,
      },
    ];
  }
  const [before, after] = part === 'outputs' ? [makeColumnOfTensor(old), makeColumnOfTensor(now)] : [old, now];
  if (isNamed(before) !== isNamed(after) && before.length > 0 && after.length > 0) {
    const [one, other] = [before, after].map((c) => `${pluralize(c.length, 'column')} ${isNamed(c) ? 'with' : 'without'} names`); // prettier-ignore
    return [{ part, name: '', change: 'retyped', old: one ?? null, new: other ?? null, breaks: true }];
  }
  return compareFields(part, nameColumns(before), nameColumns(after), {
    ...{ refusesUnknown: false, isNamed: isNamed(before), prefix: '' },
    ...{ depth: 0, place },
  });
}

function isNamed([first]: readonly Column[]): boolean {
  return first?.['name'] !== undefined && first['name'] !== null;
}

/** A column without a name has its place. */
function nameColumns(columns: readonly Column[]): ReadonlyMap<string, Column> {
  return new Map(columns.map((c, i) => [isNamed([c]) ? String(c['name']) : `#${i + 1}`, c]));
}

interface TypeContext {
  readonly depth: number;
  readonly place: ValuePlace;
}

interface FieldContext extends TypeContext {
  /** MLflow refuses an unknown property of an object. It ignores an unknown column, and Pydantic an unknown field. */
  readonly refusesUnknown: boolean;
  readonly isNamed: boolean;
  readonly prefix: string;
}

function compareFields(
  part: Part,
  old: ReadonlyMap<string, Column>,
  now: ReadonlyMap<string, Column>,
  context: FieldContext,
): readonly SignatureChange[] {
  const { refusesUnknown, prefix } = context;
  const name = (field: string) => `${prefix}${field}`.slice(0, NAME_CHARACTERS);
  const removed = [...old]
    .filter(([field]) => !now.has(field))
    .map(([field, column]) => ({
      ...{ part, name: name(field), change: 'removed' as const, old: renderType(column), new: null },
      breaks: part === 'outputs' || refusesUnknown,
    }));
  const added = [...now]
    .filter(([field]) => !old.has(field))
    .map(([field, column]) => ({
      ...{ part, name: name(field), change: 'added' as const, old: null, new: renderType(column) },
      breaks: part === 'outputs' ? !context.isNamed : isRequired(column),
    }));
  const both = [...now].flatMap(([field, column]) => {
    const before = old.get(field);
    return before ? compareColumn(part, name(field), [before, column], context) : [];
  });
  return [...removed, ...added, ...both];
}

function compareColumn(
  part: Part,
  name: string,
  [old, now]: readonly [Column, Column],
  context: TypeContext,
): readonly SignatureChange[] {
  const changes = [...compareTypes(part, name, [old, now], context)];
  const [was, is] = [isRequired(old), isRequired(now)];
  if (was !== is)
    changes.push({
      ...{ part, name, change: is ? 'required' : 'optional', old: renderType(old), new: renderType(now) },
      breaks: part === 'outputs' ? !is : is,
    });
  return changes;
}

function compareTypes(
  part: Part,
  name: string,
  [old, now]: readonly [Column, Column],
  { depth, place }: TypeContext,
): readonly SignatureChange[] {
  if (depth > MAX_DEPTH) return [];
  const nest = (type: 'array' | 'object' | 'map') => ({ depth: depth + 1, place: nestPlace(place, type) });
  if (old['type'] === 'object' && now['type'] === 'object') {
    const inside = nest('object');
    const context = { refusesUnknown: inside.place !== 'field', isNamed: true, prefix: `${name}.`, ...inside };
    return compareFields(part, readProperties(old), readProperties(now), context);
  }
  for (const [type, field] of [
    ['array', 'items'],
    ['map', 'values'],
  ] as const)
    // prettier-ignore
    if (old['type'] === type && now['type'] === type)
      return compareTypes(part, `${name}[]`, [toColumn(old[field]), toColumn(now[field])], nest(type));
  if (renderType(old) === renderType(now)) return [];
  const types = { old: renderType(old), new: renderType(now) };
  const make = (effect: Pick<SignatureChange, 'breaks' | 'effect'>) => ({ part, name, change: 'retyped' as const, ...types, ...effect }); // prettier-ignore
  const [object, map] = part === 'outputs' ? [now, old] : [old, now];
  if (object['type'] === 'object' && map['type'] === 'map') {
    const inside = compareWithMap(part, name, [object, map], nest('map'));
    if (inside.length <= MAX_CHANGES) return [make({ breaks: false }), ...inside];
    return [make(part === 'outputs' ? { breaks: true } : REFUSED)];
  }
  return [make(part === 'outputs' ? { breaks: !isReadableAs(now, old) } : describeEffect(old, now, place))];
}

/**
 * An object is a map whose keys are known: each property is compared with the values of the map. It stops after too many changes,
 * because every property may be compared with the same large object.
 */
function compareWithMap(
  part: Part,
  name: string,
  [object, map]: readonly [Column, Column],
  context: TypeContext,
): readonly SignatureChange[] {
  const values = toColumn(map['values']);
  const refusesNull = values['type'] !== 'any' && isRequired(map);
  const changes: SignatureChange[] = [];
  for (const [field, property] of readProperties(object)) {
    const value = { ...values, required: refusesNull || isRequired(property) };
    const pair = part === 'outputs' ? ([value, property] as const) : ([property, value] as const);
    for (const change of compareColumn(part, `${name}.${field}`.slice(0, NAME_CHARACTERS), pair, context))
      if (changes.push(change) > MAX_CHANGES) return changes;
  }
  return changes;
}

/** Rounding breaks nothing: no request fails, and the model gets numbers as exact as its signature declares. */
function describeEffect(old: Column, now: Column, place: ValuePlace): Pick<SignatureChange, 'breaks' | 'effect'> {
  const effect = findRequestEffect(old, now, place);
  return effect === 'works' ? { breaks: false } : { breaks: effect !== 'rounds', effect };
}

/** A parameter that the model no longer has is ignored without an error, so a client would not get what it asks for. */
function compareParameters(old: readonly Column[], now: readonly Column[]): readonly SignatureChange[] {
  const [before, after] = [nameColumns(old), nameColumns(now)];
  const part = 'params';
  const removed = [...before].filter(([name]) => !after.has(name));
  const added = [...after].filter(([name]) => !before.has(name));
  const both = [...after].flatMap(([name, parameter]) => {
    const earlier = before.get(name);
    return earlier ? compareParameter(name.slice(0, NAME_CHARACTERS), earlier, parameter) : [];
  });
  const make = ([name, parameter]: readonly [string, Column], change: 'added' | 'removed'): SignatureChange => {
    const type = renderParameter(parameter);
    const breaks = change === 'removed';
    return {
      part,
      name: name.slice(0, NAME_CHARACTERS),
      change,
      old: breaks ? type : null,
      new: breaks ? null : type,
      breaks,
    };
  };
  return [...removed.map((p) => make(p, 'removed')), ...added.map((p) => make(p, 'added')), ...both];
}

function compareParameter(name: string, old: Column, now: Column): readonly SignatureChange[] {
  const [was, is] = [renderParameter(old), renderParameter(now)];
  if (was !== is) {
    const hasSameShape = was.endsWith('[]') === is.endsWith('[]');
    const effect = hasSameShape ? describeEffect(old, now, 'parameter') : REFUSED;
    return [{ part: 'params', name, change: 'retyped', old: was, new: is, ...effect }];
  }
  const inside = compareTypes('params', name, [old, now], { depth: 0, place: 'parameter' });
  const [before, after] = [old, now].map((p) => renderJson(p['default'] ?? null, NAME_CHARACTERS));
  if (before === undefined || after === undefined || before === after) return inside;
  return [...inside, { part: 'params', name, change: 'default', old: before, new: after, breaks: false }];
}

function renderParameter(parameter: Column): string {
  const isList = Array.isArray(parameter['shape']);
  return `${renderType(parameter)}${isList ? '[]' : ''}`;
}
