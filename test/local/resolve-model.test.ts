import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { describeMissingModel, resolveModel } from '../../local/revisions/resolve-model.ts';

const model = (uri: string | undefined) => ({ name: 'iris', version: '1', uri, digest: 'sha256:0' });

describe('resolveModel()', () => {
  it.each([
    [undefined, '/project/models/iris/1'],
    ['trained/iris', '/project/trained/iris'],
    ['file:trained/iris', '/project/trained/iris'],
    ['file:///project/trained/iris', '/project/trained/iris'],
  ])('locates the model with the URI %j at %s', (uri, folder) => {
    expect(resolveModel('/project', model(uri))).toBe(folder);
  });

  it('locates a remote model in the cache, in a different folder for each server', () => {
    vi.stubEnv('DAVIT_CACHE', '/cache');
    vi.stubEnv('MLFLOW_TRACKING_URI', 'http://one');
    const one = resolveModel('/project', model('models:/iris/1'));
    vi.stubEnv('MLFLOW_TRACKING_URI', 'http://two');
    expect(one).toMatch(/^\/cache\/models\/[0-9a-f]{20}$/);
    expect(resolveModel('/project', model('models:/iris/1'))).not.toBe(one);
    vi.unstubAllEnvs();
  });

  it('explains a missing model and names the remedy', async () => {
    const revision = { endpoint: 'iris', model: model(undefined) } as Parameters<typeof describeMissingModel>[1];
    expect(await describeMissingModel('/nowhere', revision)).toBe(
      'Cannot find the files of iris version 1: there is no MLmodel in models/iris/1, expected the locked model (npx davit validate iris downloads it)',
    );
    expect(await describeMissingModel(join(import.meta.dirname, '..', '..'), revision)).toBeUndefined();
  });
});
