import type { KubernetesEnvironment } from '../../../schemas/environment/environment.ts';

const HARDWARE = {
  per: 'unit',
  cpu: '1',
  memory: '4Gi',
  gpu: undefined,
  nodeSelector: {},
  tolerations: [],
  deploymentSeconds: 1800,
  coldStartSeconds: 300,
} as const;

/** An environment with an own Knative, and whatever a test changes of it. */
export function makeEnvironment(changes: Partial<KubernetesEnvironment> = {}): KubernetesEnvironment {
  return {
    name: 'staging',
    file: 'environments/staging.yaml',
    target: 'kubernetes',
    autoscaling: { idleSeconds: 1800, scaleDownSeconds: 300 },
    policy: {},
    cluster: { kubeconfig: undefined, context: undefined },
    namespace: 'models',
    platformNamespace: 'davit-system',
    images: {
      registry: 'registry.example/models',
      bases: {},
      packages: [],
      node: 'registry.example/node@sha256:1',
      envoy: 'registry.example/envoy@sha256:2',
      platform: 'linux/amd64',
      dockerHost: undefined,
      timeoutSeconds: 600,
      retries: 1,
      pullSecret: undefined,
    },
    knative: { mode: 'install', manifests: [], images: {} },
    gateway: {
      url: undefined,
      serviceType: 'ClusterIP',
      annotations: {},
      tlsSecret: undefined,
      replicas: 2,
      allowedOrigins: [],
    },
    identity: { kind: 'kubernetes', audience: 'davit' },
    hardware: { CPU: HARDWARE, GPU_SMALL: { ...HARDWARE, coldStartSeconds: 900 } },
    secrets: {},
    quota: {},
    egress: undefined,
    ...changes,
  };
}
