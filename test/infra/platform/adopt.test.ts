import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { checkAdoptable, checkInstallable } from '../../../infra/platform/knative/check-knative.ts';
import type { FoundKnative } from '../../../infra/platform/knative/find-knative.ts';
import { makeKnativeAdoption } from '../../../infra/platform/knative/make-knative-adoption.ts';
import { makeEnvironment } from './kubernetes-environment.ts';

const FOUND: FoundKnative = {
  version: '1.22.1',
  owner: undefined,
  kourier: true,
  ingressClass: 'kourier.ingress.networking.knative.dev',
  meshMode: undefined,
  maxTimeoutSeconds: 600,
  activator: { replicas: 1, graceSeconds: 600 },
};
const environment = makeEnvironment({ knative: { mode: 'adopt' } });

describe('makeKnativeAdoption()', () => {
  it('patches what endpoints need and warns of what its owner should change', async () => {
    await expect(stringify(makeKnativeAdoption(FOUND, environment), { lineWidth: 0 })).toMatchFileSnapshot(
      'golden/adoption.yaml',
    );
  });

  it('counts replicas in the warning', () => {
    const asleep = { ...FOUND, meshMode: 'disabled', activator: { ...FOUND.activator, replicas: 0 } };
    const single = makeEnvironment({ knative: { mode: 'adopt' }, gateway: { ...environment.gateway, replicas: 1 } });
    expect(makeKnativeAdoption(asleep, single).warnings).toEqual([
      expect.stringMatching(/^Knative's activator has 0 replicas and the edge 1, .* Knative for 1 replica$/),
    ]);
  });

  it('never lowers a limit, and so makes the same again', () => {
    const activator = { replicas: 3, graceSeconds: 12_000 };
    const generous = { ...FOUND, meshMode: 'enabled', maxTimeoutSeconds: 9000, activator };
    const { patches, warnings } = makeKnativeAdoption(generous, environment);
    expect(warnings).toEqual([]);
    expect(patches).toContainEqual(expect.objectContaining({ data: { 'max-revision-timeout-seconds': '9000' } }));
    expect(patches.at(-1)).toMatchObject({ spec: { template: { spec: { terminationGracePeriodSeconds: 12_000 } } } });
    const first = makeKnativeAdoption(FOUND, environment);
    const after = { ...FOUND, maxTimeoutSeconds: 4500, activator: { replicas: 1, graceSeconds: 4500 } };
    expect(makeKnativeAdoption(after, environment)).toEqual(first);
  });
});

describe('checkAdoptable()', () => {
  it.each<[string, Partial<FoundKnative> | undefined, string]>([
    ['none', undefined, 'the cluster has none (no Deployment controller in knative-serving), expected 1.21 or later'],
    ['an old one', { version: '1.19.4' }, 'it is version 1.19.4, expected 1.21 or later, before 2'],
    ['one that does not say its version', { version: '' }, 'it is without a version, expected 1.21 or later'],
    ['a later generation', { version: '2.0.0' }, 'it is version 2.0.0, expected 1.21 or later, before 2'],
    ['one without Kourier', { kourier: false }, 'there is no Service kourier-internal in kourier-system'],
    [
      'one with another ingress',
      { ingressClass: 'istio' },
      'its ingress-class in config-network is istio, expected kourier',
    ],
    ['its own', { owner: 'staging' }, 'would remove it with every endpoint on it'],
  ])('refuses %s', (_what, changes, message) => {
    expect(() => checkAdoptable(changes && { ...FOUND, ...changes }, environment)).toThrow(message);
  });

  it('uses what another environment has installed', () => {
    expect(() => checkAdoptable({ ...FOUND, owner: 'production' }, environment)).not.toThrow();
  });
});

describe('checkInstallable()', () => {
  it.each<[string, FoundKnative | undefined]>([
    ['where there is none', undefined],
    ['over its own', { ...FOUND, owner: 'staging' }],
  ])('installs %s', (_what, found) => {
    expect(() => checkInstallable(found, makeEnvironment())).not.toThrow();
  });

  it.each([
    ["somebody's", undefined, 'installed by somebody else'],
    ["another environment's", 'production', 'installed by the environment "production"'],
  ])('refuses over %s', (_what, owner, message) => {
    expect(() => checkInstallable({ ...FOUND, owner }, makeEnvironment())).toThrow(message);
  });
});
