import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { makeChildEnvironment, runProcess } from '../../../system/run-process.ts';
import {
  findRequestEffect,
  type RequestEffect,
  type ValuePlace,
} from '../../../validation/comparison/request-effects.ts';
import { compareSignatures } from '../../../validation/comparison/compare-signatures.ts';
import { modelPython } from '../../runtime/start-server.ts';

type Effects<T> = Readonly<Record<string, Readonly<Record<string, T>>>>;
type Kind = 'column' | 'array' | 'object' | 'parameter' | 'tensor' | 'named_tensor' | 'hint' | 'model' | 'overflow' | 'map' | 'removal' | 'presence'; // prettier-ignore

const ORDER: readonly RequestEffect[] = ['works', 'rounds', 'alters', 'fails'];

/** What MLflow does with the requests of request_effects.py. Null: it accepts none under the old type. */
let real: Readonly<Record<Kind, Effects<RequestEffect | null>>>;
beforeAll(async () => {
  const program = join(import.meta.dirname, 'request_effects.py');
  const env = makeChildEnvironment({ MLFLOW_DISABLE_TELEMETRY: 'true', PYTHONDONTWRITEBYTECODE: '1' });
  const { code, stdout, stderr } = await runProcess(await modelPython(), [program], { env, limitSeconds: 600 });
  if (code !== 0) throw new Error(stderr);
  real = JSON.parse(stdout) as typeof real;
});

/** The same table as MLflow's, with what Davit says. */
function findAll(
  kind: Kind,
  place: ValuePlace,
  make: (type: string) => Readonly<Record<string, unknown>>,
): Effects<RequestEffect> {
  const rows = Object.entries(real[kind]).map(([old, effects]) => [
    old,
    Object.fromEntries(Object.keys(effects).map((now) => [now, findRequestEffect(make(old), make(now), place)])),
  ]);
  return Object.fromEntries(rows) as Effects<RequestEffect>;
}

test('findRequestEffect(): each pair of column types does what MLflow does with the same requests', () => {
  expect(Object.keys(real.column)).toHaveLength(8);
  expect(findAll('column', 'column', (type) => ({ type }))).toEqual(real.column);
});

test('findRequestEffect(): each pair of parameter types', () => {
  expect(Object.keys(real.parameter)).toHaveLength(7);
  expect(findAll('parameter', 'parameter', (type) => ({ type }))).toEqual(real.parameter);
});

/** The worse effect of two kinds. Null: MLflow accepts no request for the old type in either. */
function findWorse([one, other]: readonly [Kind, Kind], old: string, now: string): RequestEffect | null {
  const effects = [real[one][old]?.[now], real[other][old]?.[now]].filter((e) => e !== null && e !== undefined);
  return effects.sort((a, b) => ORDER.indexOf(b) - ORDER.indexOf(a))[0] ?? null;
}

test('findRequestEffect(): each pair of tensor types does the worse of tensors with and without names', () => {
  expect(Object.keys(real.tensor)).toHaveLength(11);
  const make = (dtype: string) => ({ type: 'tensor', 'tensor-spec': { dtype, shape: [-1] } });
  for (const [old, effects] of Object.entries(findAll('tensor', 'column', make)))
    for (const [now, effect] of Object.entries(effects))
      expect([old, now, effect]).toEqual([old, now, findWorse(['tensor', 'named_tensor'], old, now)]);
});

test('findRequestEffect(): each pair of type hints, and of the fields of a Pydantic model', () => {
  expect(Object.keys(real.hint)).toHaveLength(6);
  expect(findAll('hint', 'hint', (type) => ({ type }))).toEqual(real.hint);
  expect(Object.keys(real.model)).toHaveLength(6);
  const said = findAll('model', 'field', (type) => ({ type }));
  for (const [old, effects] of Object.entries(real.model))
    for (const [now, effect] of Object.entries(effects)) expect([old, now, said[old]?.[now]]).toEqual([old, now, effect ?? 'works']); // prettier-ignore
});

test('findRequestEffect(): decimals above the range of 32 bits become infinite, which the documentation says', () => {
  expect(real.overflow).toEqual({ double: { float: 'alters' }, float64: { float32: 'alters' } });
});

test('compareSignatures(): an object may become a map, an optional property breaks clients that send null', () => {
  expect([real.map['object']?.['map'], real.map['optional']?.['map']]).toEqual(['works', 'fails']);
  const compare = (required: boolean) => {
    const properties = { x: { type: 'long', required } };
    const old = [{ name: 'a', type: 'object', properties, required: true }];
    const now = [{ name: 'a', type: 'map', values: { type: 'long' }, required: true }];
    const [before, after] = [old, now].map((inputs) => ({ inputs: JSON.stringify(inputs), outputs: null, params: null })); // prettier-ignore
    return compareSignatures(before!, after!).some((c) => c.breaks);
  };
  expect([compare(true), compare(false)]).toEqual([false, true]);
});

test('findRequestEffect(): each pair of types inside arrays and objects does the worse of both', () => {
  const said = findAll('array', 'nested', (type) => ({ type }));
  const worse = (old: string, now: string) => findWorse(['array', 'object'], old, now);
  for (const [old, effects] of Object.entries(said))
    for (const [now, effect] of Object.entries(effects)) {
      const pair = `${old} → ${now}`;
      // Dates inside arrays are accepted with pandas 2 only, and this virtualenv has pandas 3.
      if (worse(old, now) === null && old === 'datetime') continue;
      expect([pair, effect]).toEqual([pair, worse(old, now) ?? 'works']);
    }
});

test('compareSignatures(): a property less is refused, and a field less of a Pydantic model is ignored', () => {
  expect(real.removal).toEqual({ object: { removed: 'fails' }, model: { removed: 'works' } });
  const compare = (typeHints: boolean) => {
    const x = { x: { type: 'long', required: true } };
    const [before, after] = [{ ...x, y: x.x }, x].map((properties) => ({
      inputs: JSON.stringify([{ name: 'a', type: 'object', properties, required: true }]),
      ...{ outputs: null, params: null, ...(typeHints && { typeHints }) },
    }));
    return compareSignatures(before!, after!).map(({ name, change, breaks }) => [name, change, breaks]);
  };
  expect([compare(false), compare(true)]).toEqual([[['a.y', 'removed', true]], [['a.y', 'removed', false]]]);
});

test('compareSignatures(): a column that becomes required may fail, one that becomes optional works', () => {
  expect(real.presence).toEqual({ optional: { required: 'fails' }, required: { optional: 'works' } });
  const make = (required: boolean) => ({
    inputs: JSON.stringify([{ name: 'a', type: 'double', required }]),
    ...{ outputs: null, params: null },
  });
  const breaks = (old: boolean, now: boolean) => compareSignatures(make(old), make(now)).map((c) => c.breaks);
  expect([breaks(false, true), breaks(true, false)]).toEqual([[true], [false]]);
});
