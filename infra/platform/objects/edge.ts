import { makeBootstrap } from '../../../edge/envoy/bootstrap.ts';
import type { TlsFiles } from '../../../edge/envoy/bootstrap-options.ts';
import { makeTlsFile } from '../../../edge/envoy/tls.ts';
import { AUTHORISATION_PORTS } from '../../../edge/settings.ts';
import type { KubernetesEnvironment } from '../../../schemas/environment/environment.ts';
import { contentHash } from '../../../schemas/values/names.ts';
import { EDGE } from '../../../schemas/environment/platform-names.ts';
import type { PlainManifest } from '../plain-manifest.ts';
import { computeLongestRequestSeconds } from '../knative/settings.ts';
import { makePartLabels, makePlatformLabels } from '../labels.ts';
import { AUTHORISATION_PODS } from './authorisation.ts';
import { makeDisruptionBudget } from './disruption-budget.ts';
import { makeDrainHook } from './drain-hook.ts';
import { CONTAINER_SECURITY, POD_SECURITY } from './security.ts';
import { makeNodeAntiAffinity } from './node-anti-affinity.ts';

const PORTS = { traffic: 8080, health: 8081, admin: 9901 };
const CONFIG_FOLDER = '/etc/envoy/config';
const CONFIG_FILE = 'envoy.json';
const TLS_FILE = 'tls.json';
const TLS: TlsFiles = {
  folder: '/etc/envoy/tls',
  certificate: '/etc/envoy/tls/tls.crt',
  key: '/etc/envoy/tls/tls.key',
  discovery: `${CONFIG_FOLDER}/${TLS_FILE}`,
};
/** A request of 16 MB is held whole. This is room for some 25 of them besides all others. */
const MEMORY = { request: '96Mi', limit: '512Mi', heapBytes: 400 * 1024 * 1024 };
/** Threads of one Envoy. Envoy's own default is one per processor of the node. */
const THREADS = 2;
/** Load balancers and kube-proxies need this long to learn that a replica ends. */
const NOTICE_SECONDS = 10;

/** Makes the entry to all endpoints: an Envoy whose configuration names none of them. */
export function makeEdge(environment: KubernetesEnvironment): readonly PlainManifest[] {
  const data = makeConfiguration(environment);
  const { replicas } = environment.gateway;
  return [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: metadata(environment), data },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: metadata(environment),
      spec: {
        replicas,
        selector: { matchLabels: makePartLabels(EDGE) },
        strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
        template: {
          metadata: {
            labels: { ...makePlatformLabels(environment), ...makePartLabels(EDGE) },
            // Envoy reads its configuration only at start, so a changed one needs new pods.
            annotations: { 'davit.dev/configuration': contentHash(data).slice(0, 16) },
          },
          spec: makePod(environment),
        },
      },
    },
    makeService(environment),
    makeDisruptionBudget(environment, EDGE),
  ];
}

/** The files of Envoy's configuration folder. */
function makeConfiguration(environment: KubernetesEnvironment): Readonly<Record<string, string>> {
  const tls = environment.gateway.tlsSecret === undefined ? undefined : TLS;
  const bootstrap = makeBootstrap({
    authorisation: {
      host: `${AUTHORISATION_PODS}.${environment.platformNamespace}.svc`,
      port: AUTHORISATION_PORTS.traffic,
    },
    logPort: AUTHORISATION_PORTS.log,
    kourier: { host: 'kourier-internal.kourier-system.svc', port: 80 },
    port: PORTS.traffic,
    healthPort: PORTS.health,
    adminPort: PORTS.admin,
    longestRequestSeconds: computeLongestRequestSeconds(environment),
    tls,
    allowedOrigins: environment.gateway.allowedOrigins,
    requestsPerSource: environment.gateway.requestsPerSource,
    maxHeapBytes: MEMORY.heapBytes,
  });
  return {
    [CONFIG_FILE]: JSON.stringify(bootstrap, undefined, 1),
    ...(tls && { [TLS_FILE]: JSON.stringify(makeTlsFile(tls)) }),
  };
}

function makePod(environment: KubernetesEnvironment) {
  const { images, gateway } = environment;
  const { lifecycle, terminationGracePeriodSeconds } = makeDrainHook({
    adminPort: PORTS.admin,
    statPrefix: 'edge',
    noticeSeconds: NOTICE_SECONDS,
    limitSeconds: computeLongestRequestSeconds(environment),
  });
  return {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: POD_SECURITY,
    affinity: makeNodeAntiAffinity(makePartLabels(EDGE)),
    terminationGracePeriodSeconds,
    ...(images.pullSecret !== undefined && { imagePullSecrets: [{ name: images.pullSecret }] }),
    containers: [{ ...makeContainer(images.envoy, gateway.tlsSecret !== undefined), lifecycle }],
    volumes: [
      { name: 'config', configMap: { name: EDGE } },
      ...(gateway.tlsSecret === undefined ? [] : [{ name: 'tls', secret: { secretName: gateway.tlsSecret } }]),
    ],
  };
}

function makeContainer(image: string, tls: boolean) {
  return {
    name: 'envoy',
    image,
    command: ['/usr/local/bin/envoy'],
    args: [
      ...['--config-path', `${CONFIG_FOLDER}/${CONFIG_FILE}`],
      ...['--concurrency', String(THREADS)],
      ...['--log-level', 'warning'],
      '--disable-hot-restart', // it needs to write files, and pods are replaced instead
      ...['--drain-time-s', String(NOTICE_SECONDS)],
      ...['--drain-strategy', 'immediate'],
    ],
    ports: [
      { name: 'traffic', containerPort: PORTS.traffic },
      { name: 'health', containerPort: PORTS.health },
    ],
    securityContext: CONTAINER_SECURITY,
    resources: { requests: { cpu: '50m', memory: MEMORY.request }, limits: { memory: MEMORY.limit } },
    readinessProbe: { httpGet: { path: '/ready', port: 'health' }, periodSeconds: 2 },
    livenessProbe: { httpGet: { path: '/ready', port: 'health' }, periodSeconds: 10, failureThreshold: 6 },
    volumeMounts: [
      { name: 'config', mountPath: CONFIG_FOLDER, readOnly: true },
      ...(tls ? [{ name: 'tls', mountPath: TLS.folder, readOnly: true }] : []),
    ],
  };
}

function makeService(environment: KubernetesEnvironment): PlainManifest {
  const { serviceType, annotations, tlsSecret } = environment.gateway;
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { ...metadata(environment), ...(Object.keys(annotations).length > 0 && { annotations }) },
    spec: {
      type: serviceType,
      selector: makePartLabels(EDGE),
      ports: [
        tlsSecret === undefined
          ? { name: 'http', port: 80, targetPort: 'traffic' }
          : { name: 'https', port: 443, targetPort: 'traffic' },
      ],
    },
  };
}

function metadata(environment: KubernetesEnvironment) {
  return { name: EDGE, namespace: environment.platformNamespace, labels: makePlatformLabels(environment) };
}
