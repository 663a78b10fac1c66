import { type Explanation, makeIrisFile } from './explanation.ts';

const IRIS = 'endpoints/iris.yaml';
const PRODUCTION = 'environments/production.yaml';
const DIGEST = 'sha256:'.padEnd(71, '0');

/** A Kubernetes environment of the examples, with lines added to its end. */
const makeEnvironment = (...end: readonly string[]) =>
  [
    'name: production',
    'target: kubernetes',
    'cluster: { context: production }',
    'images:',
    '  registry: ghcr.io/acme/models',
    `  bases: { "3.11": docker.io/library/python@${DIGEST} }`,
    `  node: docker.io/library/node@${DIGEST}`,
    `  envoy: docker.io/envoyproxy/envoy@${DIGEST}`,
    ...end,
    '',
  ].join('\n');

/** Codes about an endpoint in an environment. */
export const ENVIRONMENT_CODES = {
  'unavailable-workload-type': {
    stage: 'check',
    means:
      'The environment has no hardware for the workload type: this machine has CPU only, and in a cluster the field `hardware` can take types away.',
    example: {
      files: {
        [IRIS]: makeIrisFile(['workload_type: GPU_SMALL']),
        'environments/local.yaml': 'name: local\ntarget: local\n',
      },
      command: 'davit preview iris --env local',
      says: 'endpoints/iris.yaml:4:7 error unavailable-workload-type Cannot run "iris-2" on GPU_SMALL in environment "local": expected CPU',
    },
    repair:
      'Choose a type that the message lists, deploy to another environment, or describe the hardware of the type in `hardware` of the environment.',
    changes: [[IRIS, 'GPU_SMALL', 'CPU']],
  },
  'quota-exceeded': {
    stage: 'schedule',
    means:
      'The minimum of this endpoint alone needs more than the quota that the environment gives to all models together, so its replicas could never start. If only the maximum is above the quota, it is a warning.',
    example: {
      files: {
        [IRIS]: makeIrisFile(['workload_size: Large']),
        [PRODUCTION]: makeEnvironment('quota: { requests.memory: 32Gi }'),
      },
      command: 'davit preview iris --env production',
      says: 'endpoints/iris.yaml:4:7 error quota-exceeded Cannot provide the minimum of "iris-2" in environment "production": the endpoint then needs 64 GiB of requests.memory, expected at most 32 GiB, the quota for all models',
    },
    repair: 'Choose a smaller workload_size or workload_type, or raise `quota` of the environment.',
    changes: [[IRIS, 'Large', 'Small']],
  },
  'unknown-principal': {
    stage: 'route',
    means:
      'A permission or a rate limit names somebody who can never arrive in this environment, so it would never apply. With the identities of the cluster, a service principal is a service account, NAMESPACE/NAME. It is a warning.',
    example: {
      files: {
        [IRIS]: makeIrisFile(
          [],
          ['davit:', '  permissions:', '    - { service_principal_name: scorer, permission_level: CAN_QUERY }'],
        ),
        [PRODUCTION]: makeEnvironment(),
      },
      command: 'davit preview iris --env production',
      says: 'endpoints/iris.yaml:8:7 warning unknown-principal Found the service principal "scorer", which cannot exist in environment "production": expected NAMESPACE/NAME of a service account',
    },
    repair: 'Write the name as the identity provider of the environment writes it: the message says in which form.',
    changes: [[IRIS, 'scorer', 'batch/scorer']],
  },
  'secret-missing': {
    stage: 'schedule',
    means:
      'An environment variable refers to `{{secrets/SCOPE/KEY}}`, but the cluster has no Secret of that name in the namespace of the models, or the Secret has no such key. Containers would wait for it.',
    example: {
      code: { language: 'yaml', text: makeIrisFile(['environment_vars: { TOKEN: "{{secrets/store/token}}" }']) },
      command: 'davit preview iris --env production',
      says: 'endpoints/iris.yaml:4:7 warning secret-missing Cannot find the Secret "store" in the namespace models: expected one with the key token',
    },
    repair:
      'Create it: `kubectl create secret generic store -n models --from-literal=token=…`. If the Secret has another name, set `secrets: { store: NAME }` in the environment.',
  },
  'image-unattested': {
    stage: 'image',
    means:
      'The environment accepts only images that one workflow of one repository has built (`images.provenance`), and GitHub has no such attestation of this image: it was built elsewhere, by another workflow, from another branch, or not at all. What serves keeps serving.',
    example: {
      code: {
        language: 'yaml',
        text: 'images:\n  provenance: { repository: acme/models, workflow: OWNER/davit/.github/workflows/deploy.yaml }',
      },
      command: 'davit up iris --env production',
      says: 'endpoints/iris.yaml:4:7 error image-unattested Cannot deploy the image ghcr.io/acme/models/iris:3f9c2a71d0: the registry does not have it',
    },
    repair:
      'Start the workflow that deploys for this endpoint: its step "Build images" builds and attests the image, or says why not. For a private repository, set `GH_TOKEN` to a token that can read attestations. [Environments](../environments.md) has the rules.',
  },
} as const satisfies Readonly<Record<string, Explanation>>;
