import { describe, expect, it } from 'vitest';
import type { Lock } from '../../../schemas/lock/lock.ts';
import { parseEndpoint } from '../../../schemas/endpoint/parse-endpoint.ts';
import { makeRevision } from '../../../schemas/deployment/revision.ts';

function make(more: string, digest = 'a', ours = '') {
  const served = `{name: m, entity_name: a, entity_version: "1", ${more}}`;
  const text = `name: a\nconfig:\n  served_entities:\n    - ${served}\ndavit: {served_entities: {m: {${ours}}}}\n`;
  const { endpoint } = parseEndpoint(text, 'endpoints/a.yaml');
  const model = { name: 'a', version: '1', digest: `sha256:${digest.repeat(64)}`, python_version: '3.11.7' };
  const signature = { inputs: null, outputs: null, params: null };
  const lock: Lock = {
    lock_version: 1,
    endpoint: 'a',
    entities: { m: { model, requirements: [], virtualenv: 'v', signature } },
    virtualenvs: {},
  };
  return makeRevision(endpoint!, endpoint!.entities[0]!, lock);
}

describe('makeRevision()', () => {
  it('gives the same content the same name, and other content another', () => {
    const { name } = make('workload_size: Small');
    expect(name).toMatch(/^m-[0-9a-f]{10}$/);
    expect(make('workload_size: Small').name).toBe(name);
    expect(make('workload_size: Small', 'b').name).not.toBe(name);
    expect(make('environment_vars: {A: b}').name).not.toBe(name);
  });

  it('has the earlier name where nothing is said of workers and NaN, and another one where it is', () => {
    const before = make('workload_size: Small');
    expect(before.name).toBe('m-db04bc5c4a');
    expect(make('workload_size: Small', 'a', 'nan: error')).toEqual(before);
    const changed = ['workers: shared', 'workers: separate', 'workers: one', 'nan: null'].map((ours) =>
      make('workload_size: Small', 'a', ours),
    );
    expect(new Set([before, ...changed].map((r) => r.name)).size).toBe(5);
    expect(changed.map(({ workerMode, nan, workers }) => [workerMode, nan, workers])).toEqual([
      ['shared', undefined, 4],
      ['separate', undefined, 4],
      ['one', undefined, 1],
      [undefined, 'null', 4],
    ]);
  });

  it('keeps the name when only the bounds change', () => {
    const small = make('min_provisioned_concurrency: 4, max_provisioned_concurrency: 8');
    const large = make('max_provisioned_concurrency: 16, scale_to_zero_enabled: true');
    expect(large.name).toBe(small.name);
    expect([small.bounds, large.bounds]).toEqual([
      { min: 4, max: 8, scaleToZero: false },
      { min: 0, max: 16, scaleToZero: true },
    ]);
    expect([small.workers, make('max_provisioned_concurrency: 2').workers]).toEqual([4, 2]);
  });
});
