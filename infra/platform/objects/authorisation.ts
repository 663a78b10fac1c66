import { REQUEST_SECONDS } from '../../../edge/envoy/listeners.ts';
import { ADDRESS_VARIABLE, AUTHORISATION_PORTS, makeEdgeVariables } from '../../../edge/settings.ts';
import type { KubernetesEnvironment } from '../../../schemas/environment/environment.ts';
import { AUTHORISATION, MARKS } from '../../../schemas/environment/platform-names.ts';
import type { PlainManifest } from '../plain-manifest.ts';
import { computeLongestRequestSeconds } from '../knative/settings.ts';
import { makePartLabels, makePlatformLabels } from '../labels.ts';
import { makeDisruptionBudget } from './disruption-budget.ts';
import { CONTAINER_SECURITY, POD_SECURITY } from './security.ts';
import { makeNodeAntiAffinity } from './node-anti-affinity.ts';

/** The headless Service through which Envoy and the replicas find every replica. */
export const AUTHORISATION_PODS = `${AUTHORISATION}-pods`;

const MARKS_FOLDER = '/etc/davit/marks';
/** How long Envoy waits for a whole request after it has been authorised, and the difference of two clocks. */
const MARK_MARGIN_SECONDS = REQUEST_SECONDS + 60;
const MEMORY = { request: '96Mi', limit: '512Mi' };

/**
 * Makes the service that authorises requests and chooses their target. `image` by digest; may be an Output, as may
 * `markKey`, the public key of marks. A changed key makes new pods, so that they sign with it before any revision expects
 * that. Undefined: queries get no marks.
 */
export function makeAuthorisation(
  environment: KubernetesEnvironment,
  image: unknown,
  markKey?: unknown,
): readonly PlainManifest[] {
  const { replicas } = environment.gateway;
  return [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: metadata(environment, AUTHORISATION),
      spec: {
        replicas,
        selector: { matchLabels: makePartLabels(AUTHORISATION) },
        strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
        template: {
          metadata: {
            labels: { ...makePlatformLabels(environment), ...makePartLabels(AUTHORISATION) },
            ...(markKey !== undefined && { annotations: { 'davit.dev/mark-key': markKey } }),
          },
          spec: makePod(environment, image, markKey !== undefined),
        },
      },
    },
    makeService(environment, AUTHORISATION, {}),
    makeService(environment, AUTHORISATION_PODS, { clusterIP: 'None' }),
    makeDisruptionBudget(environment, AUTHORISATION),
  ];
}

function makePod(environment: KubernetesEnvironment, image: unknown, marks: boolean) {
  const { pullSecret } = environment.images;
  return {
    serviceAccountName: AUTHORISATION,
    enableServiceLinks: false,
    // The kernel drops a signal for the first process of a container until its handler is there, and Node needs a moment.
    shareProcessNamespace: true,
    securityContext: POD_SECURITY,
    affinity: makeNodeAntiAffinity(makePartLabels(AUTHORISATION)),
    ...(pullSecret !== undefined && { imagePullSecrets: [{ name: pullSecret }] }),
    containers: [
      {
        name: 'authorisation',
        image,
        env: makeVariables(environment, marks),
        ports: Object.entries(AUTHORISATION_PORTS).map(([name, containerPort]) => ({ name, containerPort })),
        securityContext: CONTAINER_SECURITY,
        resources: { requests: { cpu: '50m', memory: MEMORY.request }, limits: { memory: MEMORY.limit } },
        readinessProbe: { httpGet: { path: '/ready', port: 'health' }, periodSeconds: 2 },
        livenessProbe: { httpGet: { path: '/live', port: 'health' }, periodSeconds: 10, failureThreshold: 6 },
        ...(marks && { volumeMounts: [{ name: 'marks', mountPath: MARKS_FOLDER, readOnly: true }] }),
      },
    ],
    ...(marks && { volumes: [{ name: 'marks', secret: { secretName: MARKS, defaultMode: 0o440 } }] }),
  };
}

function makeVariables(environment: KubernetesEnvironment, hasMarks: boolean) {
  const { namespace, platformNamespace, identity, gateway } = environment;
  const peers = { namespace: platformNamespace, service: AUTHORISATION_PODS };
  const seconds = computeLongestRequestSeconds(environment) + MARK_MARGIN_SECONDS;
  const marks = hasMarks && { marks: { folder: MARKS_FOLDER, seconds } };
  const variables = makeEdgeVariables({ namespace, identity, url: gateway.url, peers, ...marks });
  return [
    ...Object.entries(variables).map(([name, value]) => ({ name, value })),
    { name: ADDRESS_VARIABLE, valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
  ];
}

function makeService(
  environment: KubernetesEnvironment,
  name: string,
  kind: Readonly<Record<string, string>>,
): PlainManifest {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata(environment, name),
    spec: {
      ...kind,
      selector: makePartLabels(AUTHORISATION),
      ports: [{ name: 'http', port: AUTHORISATION_PORTS.traffic, targetPort: 'traffic' }],
    },
  };
}

function metadata(environment: KubernetesEnvironment, name: string) {
  return { name, namespace: environment.platformNamespace, labels: makePlatformLabels(environment) };
}
