import type { Comparison } from '../../schemas/report/comparison.ts';

const RUN = { load_seconds: 0.94, predict_seconds: 0.00312, peak_memory_bytes: 187_000_000, varies: false };

/** A comparison that shows everything. */
export const COMPARISON: Comparison = {
  ...{ entity: 'iris-1', model: 'iris 1', note: null },
  breaking: 'The shop sends petal_area since release 41',
  signature: [
    { part: 'inputs', name: 'petal_area', change: 'added', old: null, new: 'double', breaks: true },
    { part: 'inputs', name: 'sepal_width', change: 'removed', old: 'double', new: null, breaks: false },
    { part: 'params', name: 'top', change: 'default', old: '1', new: '3', breaks: false },
  ],
  packages: {
    changes: [
      { name: 'scikit-learn', change: 'raised', old: '1.8.0', new: '1.9.1', direct: true },
      { name: 'threadpoolctl', change: 'added', old: null, new: '3.6.0', direct: false },
    ],
    python: { old: '3.11.7', new: '3.12.1' },
    mlflow: { old: '2.9.0', new: '3.17.2' },
    bytes: { old: 412_000_000, new: 431_000_000 },
    advisories: {
      came: [{ name: 'pillow', version: '9.0', id: 'CVE-2026-1', level: 'high' }],
      went: [{ name: 'numpy', version: '1.2', id: 'CVE-2024-2', level: null }],
    },
  },
  predictions: {
    inputs: [
      { of: 'both', origin: 'example', name: '', rows: 3, changed: 1, failure: { old: null, new: null } },
      {
        of: 'old',
        origin: 'example',
        name: '',
        rows: 1,
        changed: 1,
        failure: { old: null, new: 'petal_area is missing' },
      },
      { of: 'new', origin: 'endpoint', name: 'tall', rows: 1, changed: 1, failure: { old: 'unknown', new: null } },
      { of: 'old', origin: 'endpoint', name: 'huge', rows: 0, changed: 0, failure: { old: 'too long', new: 'no' } },
      {
        ...({ of: 'both', origin: 'endpoint', name: 'few' } as const),
        ...{ rows: 5, changed: 5, failure: { old: null, new: null } },
        lengths: { old: 5, new: 1 },
      },
    ],
    ...{ rows: 10, changed: 8, tolerance: 0.001, largest: 0.123456, hidden: false },
    moved: [{ from: 'setosa', to: 'virginica', count: 1 }],
    most_changed: [{ input: '{"sepal_length":5.1}', old: '"setosa"', new: '"virginica"' }],
    ...{ old: RUN, new: { ...RUN, load_seconds: 12.3, varies: true } },
  },
  card: [{ field: 'run_id', old: null, new: '8be10c44f7a5d2c6' }],
};

/** A comparison in which every text is the one given. */
export function makeComparison(text: string): Comparison {
  const move = { from: text, to: text, count: 1 };
  const advisory = { name: text, version: text, id: text, level: text };
  const failing = (failure: { readonly old: string | null; readonly new: string | null }) =>
    ({ of: 'both', origin: 'endpoint', name: text, rows: 1, changed: 1, failure }) as const;
  const both = { old: text, new: text };
  return {
    ...{ entity: text, model: text, breaking: text, note: text },
    signature: (['added', 'removed', 'retyped', 'default'] as const).map((change) => ({
      ...{ part: 'inputs', name: text, change, breaks: true, ...both },
    })),
    packages: {
      changes: [{ name: text, change: 'raised', direct: true, ...both }],
      ...{ python: { old: text, new: '3.11' }, mlflow: { old: text, new: null }, bytes: { old: 1, new: 2 } },
      advisories: { came: [advisory], went: [advisory] },
    },
    predictions: {
      inputs: [failing({ old: text, new: null }), failing({ old: null, new: text })],
      ...{ rows: 2, changed: 2, tolerance: 0, largest: 1, moved: [move], hidden: false, old: RUN, new: RUN },
      most_changed: [{ input: text, ...both }],
    },
    card: [{ field: text, ...both }],
  };
}
