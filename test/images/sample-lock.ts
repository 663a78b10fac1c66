import type { Lock } from '../../schemas/lock/lock.ts';
import type { ImageSettings } from '../../schemas/environment/kubernetes-environment.ts';

const HASH = (digit: string) => `sha256:${digit.repeat(64)}`;

/** A lock of one entity, small enough to read. */
export const SAMPLE_LOCK: Lock = {
  lock_version: 1,
  endpoint: 'iris',
  entities: {
    iris: {
      model: { name: 'iris', version: '2', digest: HASH('d'), mlflow_version: '3.17.2', python_version: '3.11.7' },
      requirements: ['numpy==2.4.6'],
      virtualenv: 'python3.11-fb4b205ded',
      signature: { inputs: null, outputs: null, params: null },
    },
  },
  virtualenvs: {
    'python3.11-fb4b205ded': {
      python: '3.11',
      platform: 'x86_64-manylinux_2_28',
      packages: [{ name: 'numpy', version: '2.4.6', hashes: [HASH('a'), HASH('b')] }],
    },
  },
};

export const SAMPLE_SETTINGS: ImageSettings = {
  registry: 'ghcr.io/acme/models',
  bases: { '3.11': `docker.io/library/python@${HASH('e')}` },
  packages: [],
  node: `docker.io/library/node@${HASH('f')}`,
  envoy: `docker.io/envoyproxy/envoy@${HASH('f')}`,
  platform: 'linux/amd64',
  dockerHost: undefined,
  timeoutSeconds: 3600,
  retries: 1,
  pullSecret: undefined,
};
