import { describe, expect, it } from 'vitest';
import type { Lock } from '../../schemas/lock.ts';
import { parseEndpoint } from '../../schemas/parse-endpoint.ts';
import { makeRevision } from '../../schemas/revision.ts';

function make(more: string, digest = 'a') {
  const text = `name: a\nconfig:\n  served_entities:\n    - {name: m, entity_name: a, entity_version: "1", ${more}}\n`;
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
