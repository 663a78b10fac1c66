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
type Kind = 'column' | 'array' | 'object' | 'parameter' | 'tensor' | 'presence';

const ORDER: readonly RequestEffect[] = ['works', 'rounds', 'alters', 'fails'];

/** What MLflow does with the requests of request_effects.py. Null: it accepts none under the old type. */
let real: Readonly<Record<Kind, Effects<RequestEffect | null>>>;
beforeAll(async () => {
  const program = join(import.meta.dirname, 'request_effects.py');
  const env = makeChildEnvironment({ MLFLOW_DISABLE_TELEMETRY: 'true', PYTHONDONTWRITEBYTECODE: '1' });
  const { code, stdout, stderr } = await runProcess(await modelPython(), [program], { env, limitSeconds: 120 });
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

test('findRequestEffect(): each pair of tensor types', () => {
  expect(Object.keys(real.tensor)).toHaveLength(11);
  const make = (dtype: string) => ({ type: 'tensor', 'tensor-spec': { dtype, shape: [-1] } });
  expect(findAll('tensor', 'column', make)).toEqual(real.tensor);
});

test('findRequestEffect(): each pair of types inside arrays and objects does the worse of both', () => {
  const said = findAll('array', 'nested', (type) => ({ type }));
  const worse = (old: string, now: string) => {
    const effects = [real.array[old]?.[now], real.object[old]?.[now]].filter((e) => e !== null && e !== undefined);
    return effects.sort((a, b) => ORDER.indexOf(b) - ORDER.indexOf(a))[0] ?? null;
  };
  for (const [old, effects] of Object.entries(said))
    for (const [now, effect] of Object.entries(effects)) {
      const pair = `${old} → ${now}`;
      // Dates inside arrays are accepted with pandas 2 only, and this virtualenv has pandas 3.
      if (worse(old, now) === null && old === 'datetime') continue;
      expect([pair, effect]).toEqual([pair, worse(old, now) ?? 'works']);
    }
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
