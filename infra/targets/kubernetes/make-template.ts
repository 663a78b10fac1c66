import type { Endpoint, Entity } from '../../../schemas/endpoint.ts';
import type { KubernetesEnvironment } from '../../../schemas/environment.ts';
import type { Hardware } from '../../../schemas/hardware.ts';
import { ENDPOINT_LABEL, ENTITY_LABEL, endpointObjectName, entityTag } from '../../../schemas/kubernetes-names.ts';
import { parseSecretReference } from '../../../schemas/secret-reference.ts';
import { makeResources } from './make-resources.ts';

/** The template of a Knative Configuration, without its name: the name is made of it. */
export type RevisionTemplate = ReturnType<typeof makeTemplate>;

export interface TemplateParts {
  readonly endpoint: Endpoint;
  readonly entity: Entity;
  readonly environment: KubernetesEnvironment;
  readonly hardware: Hardware;
  /** Units of concurrency of one replica. */
  readonly workers: number;
  readonly serviceAccount: string;
  readonly image: string;
  readonly secretVersions: Readonly<Record<string, string>>;
}

const DOMAIN = 'davit.dev';
const PORT = 8080;
const LIVENESS_SECONDS = 30;
/**
 * Without a period Kubernetes asks every 10 s, and a replica that has just missed its turn is not counted until the next. One
 * that serves may miss 30 s, as by the defaults.
 */
const READINESS = { periodSeconds: 1, timeoutSeconds: 10, failureThreshold: 30 };
/** The server answers as soon as it has loaded, not at the next period. */
const PATIENT = [{ name: 'Prefer', value: 'wait=5' }];
/** With more than one replica there is room for a burst before the next one is up. */
const UTILIZATION_PERCENT = '80';

/**
 * Makes what a revision is. Bounds and times of autoscaling are not in it: they change on the live Revision, without
 * loading the model again.
 */
export function makeTemplate(parts: TemplateParts) {
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
        // -1: the activator is always in the path, so scaling never changes the ingress. 0: only when there is no replica.
        'autoscaling.knative.dev/target-burst-capacity': endpoint.routeOptimized ? '0' : '-1',
      },
    },
    spec: {
      containerConcurrency: workers,
      timeoutSeconds,
      responseStartTimeoutSeconds: timeoutSeconds, // else Knative's default of 300 s would be the limit
      serviceAccountName: serviceAccount,
      enableServiceLinks: false,
      ...(pullSecret !== undefined && { imagePullSecrets: [{ name: pullSecret }] }),
      ...(Object.keys(hardware.nodeSelector).length > 0 && { nodeSelector: hardware.nodeSelector }),
      ...(hardware.tolerations.length > 0 && { tolerations: hardware.tolerations }),
      containers: [makeContainer(parts)],
      volumes: [{ name: 'tmp', emptyDir: {} }, makeSharedMemory()],
    },
  };
}

/** What belongs to the content without Kubernetes doing anything with it. */
function makeAnnotations({ endpoint, entity, secretVersions }: TemplateParts): Record<string, string> {
  const versions = Object.entries(secretVersions).sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    [`${DOMAIN}/name`]: `${endpoint.name}/${entity.name}`,
    [`${DOMAIN}/model`]: `${entity.model.name} ${entity.model.version}`,
    ...(entity.instanceProfileArn !== undefined && { [`${DOMAIN}/instance-profile`]: entity.instanceProfileArn }),
    // A secret that was written again makes another revision: the same rolling update, the same way back.
    ...(versions.length > 0 && { [`${DOMAIN}/secrets`]: versions.map(([name, v]) => `${name}=${v}`).join(',') }),
  };
}

function makeContainer(parts: TemplateParts) {
  const { entity, environment, hardware, workers, image } = parts;
  return {
    name: 'model',
    image,
    args: [
      ...['--workers', String(workers), '--time-limit', String(entity.timeLimitSeconds)],
      ...['--served-model-name', entity.name],
      // One process has the card, and the others of its replica's units wait for it as long as that may take.
      ...(hardware.gpu ? ['--solo', '--queue-timeout', String(entity.timeLimitSeconds * workers)] : []),
    ],
    env: makeEnvironment(entity, environment),
    ports: [{ containerPort: PORT, protocol: 'TCP' }],
    // What Knative would add is said here: a template that is applied again must be the same to the last field.
    readinessProbe: { httpGet: { path: '/ping', port: PORT, httpHeaders: PATIENT }, successThreshold: 1, ...READINESS },
    livenessProbe: { httpGet: { path: '/live', port: PORT }, periodSeconds: LIVENESS_SECONDS },
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

/** A secret is named here, and read by the kubelet alone. */
function makeEnvironment({ environmentVars }: Entity, { secrets }: KubernetesEnvironment) {
  return Object.entries(environmentVars).map(([name, value]) => {
    const secret = parseSecretReference(value);
    if (!secret) return { name, value };
    return { name, valueFrom: { secretKeyRef: { name: secrets[secret.scope] ?? secret.scope, key: secret.key } } };
  });
}

/** Data loaders of torch and others need more than the 64 MB that a container has; it counts as the container's memory. */
function makeSharedMemory() {
  return { name: 'shared-memory', emptyDir: { medium: 'Memory' } };
}
