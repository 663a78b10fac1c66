import { markAudience } from '../../../kubernetes/marks.ts';
import type { Endpoint, Entity } from '../../../schemas/endpoint/endpoint.ts';
import type { KubernetesEnvironment } from '../../../schemas/environment/environment.ts';
import type { Hardware } from '../../../schemas/environment/hardware.ts';
import {
  ENDPOINT_LABEL,
  ENTITY_LABEL,
  endpointObjectName,
  entityTag,
} from '../../../schemas/environment/kubernetes-names.ts';
import type { LockedCase } from '../../../schemas/lock/locked-case.ts';
import { renderCases } from '../../../schemas/lock/render-cases.ts';
import { parseSecretReference } from '../../../schemas/values/secret-reference.ts';
import { chooseWorkerMode } from '../../../schemas/endpoint/worker-mode.ts';
import { makeResources } from './make-resources.ts';
import { readOwn } from '../../../schemas/values/read-own.ts';

/** The template of a Knative Configuration without its name, because the name is made from it. */
export type RevisionTemplate = ReturnType<typeof makeTemplate>;

export interface TemplateInputs {
  readonly endpoint: Endpoint;
  readonly entity: Entity;
  readonly environment: KubernetesEnvironment;
  readonly hardware: Hardware;
  /** Workers of one replica. */
  readonly workers: number;
  readonly serviceAccount: string;
  readonly image: string;
  /** What the model predicts before it serves. Empty: its own example. */
  readonly cases: readonly LockedCase[];
  readonly secretVersions: Readonly<Record<string, string>>;
  /** The public key of the marks that requests must have; undefined: the platform makes none. */
  readonly markKey?: string | undefined;
}

const DOMAIN = 'davit.dev';
const PORT = 8080;
/** Kubernetes reads a container's termination message from this file. */
const FAILURE_FILE = '/dev/termination-log';
/**
 * A model server that makes no progress reports that itself and ends. This probe is for one that no longer responds at
 * all. It has 10 s for an answer, because a busy node may give it no CPU for seconds.
 */
const LIVENESS = { periodSeconds: 10, timeoutSeconds: 10, failureThreshold: 3 };
/**
 * By default Kubernetes probes every 10 s, so a replica that has just missed a probe waits for the next one. A replica
 * that reports not ready gets no requests after 3 s. One that does not respond has 30 s, as with the defaults.
 */
const READINESS = { periodSeconds: 1, timeoutSeconds: 10, failureThreshold: 3 };
/** With this header the server answers as soon as it has loaded, instead of at the next period. */
const WAIT_HEADERS = [{ name: 'Prefer', value: 'wait=5' }];
/** With more than one replica this leaves room for a burst until the next replica is up. */
const UTILIZATION_PERCENT = '80';

/**
 * Makes the content of a revision. Bounds and times of autoscaling are not part of it, because they change on the live
 * Revision without loading the model again.
 */
export function makeTemplate(parts: TemplateInputs) {
  const { endpoint, entity, environment, hardware, workers, serviceAccount } = parts;
  const timeoutSeconds = Math.ceil(entity.timeLimitSeconds + hardware.coldStartSeconds);
  const { pullSecret } = environment.images;
  return {
    metadata: {
      labels: { [ENDPOINT_LABEL]: endpointObjectName(endpoint.name), [ENTITY_LABEL]: entityTag(entity.name) },
      annotations: {
        ...makeAnnotations(parts),
        'serving.knative.dev/progress-deadline': `${hardware.deploymentSeconds}s`,
        'autoscaling.knative.dev/target-utilization-percentage': UTILIZATION_PERCENT,
        // -1: the activator is always in the path, so scaling never changes the ingress. 0: only while there is no
        // replica.
        'autoscaling.knative.dev/target-burst-capacity': endpoint.routeOptimized ? '0' : '-1',
      },
    },
    spec: {
      containerConcurrency: workers,
      timeoutSeconds,
      responseStartTimeoutSeconds: timeoutSeconds, // otherwise Knative's default of 300 s is the limit
      serviceAccountName: serviceAccount,
      enableServiceLinks: false,
      ...(pullSecret !== undefined && { imagePullSecrets: [{ name: pullSecret }] }),
      ...(Object.keys(hardware.nodeSelector).length > 0 && { nodeSelector: hardware.nodeSelector }),
      ...(hardware.tolerations.length > 0 && { tolerations: hardware.tolerations }),
      containers: [makeContainer(parts)],
      volumes: makeVolumes(parts),
    },
  };
}

/** Content of the revision that Kubernetes itself does not use. */
function makeAnnotations({ endpoint, entity, environment, secretVersions }: TemplateInputs): Record<string, string> {
  const { provenance } = environment.images;
  const versions = Object.entries(secretVersions).sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    [`${DOMAIN}/name`]: `${endpoint.name}/${entity.name}`,
    [`${DOMAIN}/model`]: `${entity.model.name} ${entity.model.version}`,
    ...(entity.instanceProfileArn !== undefined && { [`${DOMAIN}/instance-profile`]: entity.instanceProfileArn }),
    // A changed Secret makes a new revision, with the usual rolling update and rollback.
    ...(versions.length > 0 && { [`${DOMAIN}/secrets`]: versions.map(([name, v]) => `${name}=${v}`).join(',') }),
    // An image that is built again to be attested has the same tag, and Knative never changes a revision's image.
    ...(provenance && {
      [`${DOMAIN}/provenance`]: `${provenance.repository} ${provenance.branch} ${provenance.workflow}`,
    }),
  };
}

function makeContainer(parts: TemplateInputs) {
  const { endpoint, entity, environment, hardware, workers, image, cases, markKey } = parts;
  const mode = hardware.gpu ? 'one' : chooseWorkerMode(entity);
  return {
    name: 'model',
    image,
    args: [
      ...['--workers', String(workers), '--time-limit', String(entity.timeLimitSeconds)],
      ...['--served-model-name', entity.name, '--failure-file', FAILURE_FILE],
      ...(mode === 'found' ? [] : ['--worker-mode', mode]),
      // One process has the GPU. The replica's other requests wait for it for as long as that may take.
      ...(mode === 'one' && workers > 1 ? ['--queue-timeout', String(entity.timeLimitSeconds * workers)] : []),
      ...(entity.nan === 'error' ? [] : ['--nan', entity.nan]),
      ...(cases.length > 0 ? ['--cases', renderCases(cases)] : []),
      ...(markKey === undefined
        ? []
        : [
            '--mark-key',
            markKey,
            '--mark-for',
            markAudience(environment.namespace, endpointObjectName(endpoint.name)),
          ]),
    ],
    env: makeEnvironment(entity, environment),
    ports: [{ containerPort: PORT, protocol: 'TCP' }],
    // Set Knative's defaults explicitly, so that a template that is applied again is the same to the last field.
    readinessProbe: {
      httpGet: { path: '/ping', port: PORT, httpHeaders: WAIT_HEADERS },
      successThreshold: 1,
      ...READINESS,
    },
    livenessProbe: { httpGet: { path: '/live', port: PORT }, ...LIVENESS },
    // Only the server's own file: the end of its log may be output of the model.
    terminationMessagePolicy: 'File',
    resources: makeResources(hardware, workers),
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    volumeMounts: [
      { name: 'tmp', mountPath: '/tmp' },
      { name: 'shared-memory', mountPath: '/dev/shm' },
    ],
  };
}

/** A secret appears here by name only; only the kubelet reads it. */
function makeEnvironment({ environmentVars }: Entity, { secrets }: KubernetesEnvironment) {
  return Object.entries(environmentVars).map(([name, value]) => {
    const secret = parseSecretReference(value);
    if (!secret) return { name, value };
    return {
      name,
      valueFrom: { secretKeyRef: { name: readOwn(secrets, secret.scope) ?? secret.scope, key: secret.key } },
    };
  });
}

/**
 * Data loaders of torch and others need more shared memory than a container's default of 64 MB. It counts as the
 * container's memory, so that is its limit.
 */
function makeVolumes({ hardware, workers }: TemplateInputs) {
  const { limits } = makeResources(hardware, workers);
  return [
    { name: 'tmp', emptyDir: { sizeLimit: limits['ephemeral-storage'] } },
    { name: 'shared-memory', emptyDir: { medium: 'Memory', sizeLimit: limits.memory } },
  ];
}
