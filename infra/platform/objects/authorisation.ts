import type { KubernetesEnvironment } from '../../../schemas/environment.ts';
import { AUTHORISATION } from '../../../schemas/platform-names.ts';
import type { KubernetesManifest } from '../../kubernetes/object-resource.ts';
import { partLabels, platformLabels } from '../labels.ts';
import { makeDisruptionBudget } from './disruption-budget.ts';
import { CONTAINER_SECURITY, POD_SECURITY } from './security.ts';
import { spreadOverNodes } from './spread-over-nodes.ts';

/** The headless Service: Envoy knows every replica by it. */
export const AUTHORISATION_PODS = `${AUTHORISATION}-pods`;
export const AUTHORISATION_PORT = 8080;

/** How the service is started; the edge room knows. */
export interface AuthorisationProgram {
  readonly image: unknown;
  readonly environment?: Readonly<Record<string, string>>;
}

const MEMORY = { request: '96Mi', limit: '512Mi' };
/** Longer than Envoy asks a name server again, so that nobody asks a replica that is gone. */
const NOTICE_SECONDS = 5;

/** Makes the service that says who may ask what and where it goes. */
export function makeAuthorisation(
  environment: KubernetesEnvironment,
  program: AuthorisationProgram,
): readonly KubernetesManifest[] {
  const { replicas } = environment.gateway;
  return [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: metadata(environment, AUTHORISATION),
      spec: {
        replicas,
        selector: { matchLabels: partLabels(AUTHORISATION) },
        strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
        template: {
          metadata: { labels: { ...platformLabels(environment), ...partLabels(AUTHORISATION) } },
          spec: makePod(environment, program),
        },
      },
    },
    makeService(environment, AUTHORISATION, {}),
    makeService(environment, AUTHORISATION_PODS, { clusterIP: 'None' }),
    makeDisruptionBudget(environment, AUTHORISATION),
  ];
}

function makePod({ images }: KubernetesEnvironment, program: AuthorisationProgram) {
  return {
    serviceAccountName: AUTHORISATION,
    enableServiceLinks: false,
    securityContext: POD_SECURITY,
    affinity: spreadOverNodes(partLabels(AUTHORISATION)),
    ...(images.pullSecret !== undefined && { imagePullSecrets: [{ name: images.pullSecret }] }),
    containers: [
      {
        name: 'authorisation',
        image: program.image,
        env: Object.entries(program.environment ?? {}).map(([name, value]) => ({ name, value })),
        ports: [{ name: 'http', containerPort: AUTHORISATION_PORT }],
        securityContext: CONTAINER_SECURITY,
        resources: { requests: { cpu: '50m', memory: MEMORY.request }, limits: { memory: MEMORY.limit } },
        readinessProbe: { httpGet: { path: '/ready', port: 'http' }, periodSeconds: 2 },
        livenessProbe: { httpGet: { path: '/live', port: 'http' }, periodSeconds: 10, failureThreshold: 6 },
        lifecycle: { preStop: { sleep: { seconds: NOTICE_SECONDS } } },
      },
    ],
  };
}

function makeService(
  environment: KubernetesEnvironment,
  name: string,
  kind: Readonly<Record<string, string>>,
): KubernetesManifest {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata(environment, name),
    spec: {
      ...kind,
      selector: partLabels(AUTHORISATION),
      ports: [{ name: 'http', port: AUTHORISATION_PORT, targetPort: 'http' }],
    },
  };
}

function metadata(environment: KubernetesEnvironment, name: string) {
  return { name, namespace: environment.platformNamespace, labels: platformLabels(environment) };
}
