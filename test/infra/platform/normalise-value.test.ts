import { describe, expect, it } from 'vitest';
import { canonicalQuantity, normaliseValue } from '../../../infra/platform/knative/normalise-value.ts';

describe('canonicalQuantity()', () => {
  it.each([
    ['1000m', '1'],
    ['300m', '300m'],
    ['1024Mi', '1Gi'],
    ['1048576Ki', '1Gi'],
    ['600Mi', '600Mi'],
    ['2', '2'],
    ['1.5Gi', '1.5Gi'],
    ['100M', '100M'],
  ])('writes %s as %s', (given, wanted) => expect(canonicalQuantity(given)).toBe(wanted));
});

describe('normaliseValue()', () => {
  it('writes as the API server does, and leaves everything else', () => {
    const container = {
      env: [
        { name: 'EMPTY', value: '' },
        { name: 'FULL', value: '1000m' },
      ],
      resources: { limits: { cpu: '1000m', memory: '600Mi' } },
    };
    expect(normaliseValue({ kind: 'Pod', data: { value: '' }, containers: [container] })).toEqual({
      kind: 'Pod',
      data: { value: '' },
      containers: [
        {
          env: [{ name: 'EMPTY' }, { name: 'FULL', value: '1000m' }],
          resources: { limits: { cpu: '1', memory: '600Mi' } },
        },
      ],
    });
  });
});
