import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { describeMissingModel, resolveModel } from '../../../local/revisions/resolve-model.ts';

const model = (uri: string | undefined) => ({ name: 'iris', version: '1', uri, digest: 'sha256:0' });

describe('resolveModel()', () => {
  it.each([
    ['trained/iris', '/project/trained/iris'],
    ['file:trained/iris', '/project/trained/iris'],
    ['file:///project/trained/iris', '/project/trained/iris'],
  ])('locates the model with the URI %j at %s', (uri, folder) => {
    expect(resolveModel('/project', model(uri))).toBe(folder);
  });

  it('locates a directory of the project before a download, and a download by its digest on any server', () => {
    const root = join(import.meta.dirname, '..', '..', '..');
    expect(resolveModel(root, model(undefined))).toBe(join(root, 'models/iris/1'));
    vi.stubEnv('DAVIT_CACHE', '/cache');
    const digest = `sha256:${'0123456789'.repeat(6)}abcd`;
    for (const uri of ['models:/iris/1', undefined]) {
      vi.stubEnv('MLFLOW_TRACKING_URI', `http://${uri ?? 'other'}`);
      expect(resolveModel('/project', { ...model(uri), digest })).toBe('/cache/models/01234567890123456789');
    }
    vi.unstubAllEnvs();
  });

  it('explains a missing model and names the remedy', async () => {
    const revision = { endpoint: 'iris', model: model(undefined) } as Parameters<typeof describeMissingModel>[1];
    expect(await describeMissingModel('/nowhere', revision)).toBe(
      'Cannot find the files of iris version 1: there is no MLmodel in models/iris/1, expected the locked model (npx davit validate iris downloads it)',
    );
    expect(await describeMissingModel(join(import.meta.dirname, '..', '..', '..'), revision)).toBeUndefined();
  });
});
