import { DEFAULT_HARDWARE, makeHardwareDefaults } from './default-hardware.ts';
import { isGpu, type WorkloadType } from '../endpoint/workload.ts';
import { type Diagnostic, makeError } from '../diagnostic.ts';
import type { KubernetesEnvironmentFile } from './environment-file.ts';
import type { Hardware, HardwareTable, Toleration } from './hardware.ts';
import type { HardwareFile } from './hardware-file.ts';
import type {
  IdentitySettings,
  KnativeSettings,
  KubernetesSettings,
  ProvenancePolicy,
} from './kubernetes-environment.ts';
import type { ParsedYaml } from '../yaml/parsed-yaml.ts';

type Locate = ParsedYaml<unknown>['locate'];

/** The window over which Knative averages concurrency. */
export const AUTOSCALING_WINDOW_SECONDS = 60;
/** Knative's maximum for the scale-down delay and for the retention of the last replica. */
const MAX_KNATIVE_SECONDS = 3600;

/** Checks rules across the fields of a Kubernetes environment. */
export function checkKubernetes(value: KubernetesEnvironmentFile, locate: Locate): readonly Diagnostic[] {
  return [checkAutoscaling, checkHardware, checkNamespaces, checkTls].flatMap((check) => check(value, locate));
}

/** Fills in every default. */
export function completeKubernetesSettings(value: KubernetesEnvironmentFile): KubernetesSettings {
  const { images, gateway } = value;
  return {
    cluster: { kubeconfig: value.cluster?.kubeconfig, context: value.cluster?.context },
    namespace: value.namespace ?? 'models',
    platformNamespace: value.platform_namespace ?? 'davit-system',
    images: {
      registry: images.registry,
      bases: images.bases,
      packages: [...new Set(images.packages)].sort(),
      node: images.node,
      envoy: images.envoy,
      platform: images.platform ?? 'linux/amd64',
      dockerHost: images.docker_host,
      timeoutSeconds: images.timeout_seconds ?? 3600,
      retries: images.retries ?? 2,
      pullSecret: images.pull_secret,
      provenance: completeProvenance(value),
    },
    knative: completeKnative(value),
    gateway: {
      url: gateway?.url?.replace(/\/$/, ''),
      serviceType: gateway?.service_type ?? 'ClusterIP',
      annotations: gateway?.annotations ?? {},
      tlsSecret: gateway?.tls_secret,
      replicas: gateway?.replicas ?? 2,
      plainHttp: gateway?.plain_http,
      requestsPerSource: gateway?.requests_per_source,
      allowedOrigins: gateway?.allowed_origins ?? [],
    },
    identity: completeIdentity(value),
    hardware: completeHardware(value),
    secrets: value.secrets ?? {},
    quota: value.quota ?? {},
    egress: value.egress?.map(({ cidr, ports = [] }) => ({ cidr, ports })),
  };
}

function completeProvenance({ images: { provenance } }: KubernetesEnvironmentFile): ProvenancePolicy | undefined {
  if (!provenance) return undefined;
  const { repository, workflow, branch = 'main' } = provenance;
  return { repository, workflow, branch };
}

function completeKnative({ knative }: KubernetesEnvironmentFile): KnativeSettings {
  if (!knative) return { mode: 'adopt' };
  return { mode: 'install', manifests: knative.manifests, images: removeUndefined(knative.images) };
}

function removeUndefined(images: Readonly<Record<string, string | undefined>> = {}): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(images).flatMap(([name, image]) => (image === undefined ? [] : [[name, image]])),
  );
}

function completeIdentity({ identity }: KubernetesEnvironmentFile): IdentitySettings {
  if (identity?.kind !== 'oidc') return { kind: 'kubernetes', audience: identity?.audience ?? 'davit' };
  const { kind, issuer, audience, username_claim: user = 'email', groups_claim: groups = 'groups' } = identity;
  return { kind, issuer, audience, usernameClaim: user, groupsClaim: groups };
}

/** Overrides the defaults field by field. A type set to null is unavailable. */
function completeHardware({ hardware = {} }: KubernetesEnvironmentFile): HardwareTable {
  const table = new Map<string, Hardware>(Object.entries(DEFAULT_HARDWARE));
  for (const [type, file] of listHardwareEntries(hardware)) {
    if (file === null) table.delete(type);
    else
      table.set(
        type,
        completeWorkloadHardware(
          file,
          DEFAULT_HARDWARE[type] ?? { ...makeHardwareDefaults(type), cpu: '', memory: '' },
        ),
      );
  }
  return Object.fromEntries(table);
}

function listHardwareEntries(
  hardware: NonNullable<KubernetesEnvironmentFile['hardware']>,
): readonly [WorkloadType, HardwareFile | null][] {
  return (Object.entries(hardware) as [WorkloadType, HardwareFile | null | undefined][]).flatMap(([type, file]) =>
    file === undefined ? [] : [[type, file]],
  );
}

function completeWorkloadHardware(file: HardwareFile, before: Hardware): Hardware {
  const { resource = 'nvidia.com/gpu', count = 1, model = `${count} × ${resource}` } = file.gpu ?? {};
  return {
    per: file.per ?? before.per,
    cpu: file.cpu ?? before.cpu,
    memory: file.memory ?? before.memory,
    temporaryStorage: file.temporary_storage ?? before.temporaryStorage,
    gpu: file.gpu === undefined ? before.gpu : file.gpu === null ? undefined : { resource, count, model },
    nodeSelector: file.node_selector ?? before.nodeSelector,
    tolerations: (file.tolerations as readonly Toleration[] | undefined) ?? before.tolerations,
    deploymentSeconds: file.deployment_seconds ?? before.deploymentSeconds,
    coldStartSeconds: file.cold_start_seconds ?? before.coldStartSeconds,
  };
}

/** Knative accepts whole seconds, and at most one hour for each of the two delays. */
function checkAutoscaling({ autoscaling }: KubernetesEnvironmentFile, locate: Locate): readonly Diagnostic[] {
  const found: Diagnostic[] = [];
  const { idle_seconds: idle = 1800, scale_down_seconds: down = 300 } = autoscaling ?? {};
  const refuse = (field: string, message: string) =>
    found.push(makeError('bad-value', locate(['autoscaling', field]), message));
  const what = (field: string, seconds: number) => `Cannot accept ${seconds} for "autoscaling.${field}" on Kubernetes`;
  for (const [field, seconds] of Object.entries({ idle_seconds: idle, scale_down_seconds: down }))
    if (!Number.isInteger(seconds)) refuse(field, `${what(field, seconds)}: expected whole seconds`);
  if (down > MAX_KNATIVE_SECONDS)
    refuse('scale_down_seconds', `${what('scale_down_seconds', down)}: expected ${MAX_KNATIVE_SECONDS} or less`);
  const [least, most] = [AUTOSCALING_WINDOW_SECONDS + down, AUTOSCALING_WINDOW_SECONDS + down + MAX_KNATIVE_SECONDS];
  if (idle < least || idle > most)
    refuse(
      'idle_seconds',
      `${what('idle_seconds', idle)}: expected ${least} (${AUTOSCALING_WINDOW_SECONDS} and scale_down_seconds) to ${most}`,
    );
  return found;
}

/** A workload type without defaults must set every required field. */
function checkHardware({ hardware = {} }: KubernetesEnvironmentFile, locate: Locate): readonly Diagnostic[] {
  return listHardwareEntries(hardware).flatMap(([type, file]) => {
    if (file === null || DEFAULT_HARDWARE[type]) return [];
    const needed = isGpu(type) ? (['cpu', 'memory', 'gpu'] as const) : (['cpu', 'memory'] as const);
    const missing = needed.filter((field) => file[field] === undefined);
    if (missing.length === 0) return [];
    const message = `Cannot use ${type} without ${missing.join(', ')}: it has no defaults, expected its values in this cluster`;
    return [makeError('missing-field', locate(['hardware', type], { key: true }), message)];
  });
}

function checkNamespaces(value: KubernetesEnvironmentFile, locate: Locate): readonly Diagnostic[] {
  const { namespace = 'models', platform_namespace: platform = 'davit-system' } = value;
  if (namespace !== platform) return [];
  const message = `Cannot use "${namespace}" for both models and the platform: expected two namespaces, because models must not reach the authorisation service`;
  return [makeError('conflicting-fields', locate(['platform_namespace']), message)];
}

/** Clients reach a load balancer from other networks, where others could read the tokens. */
function checkTls({ gateway }: KubernetesEnvironmentFile, locate: Locate): readonly Diagnostic[] {
  const { service_type: type, tls_secret: secret, plain_http: plain = false } = gateway ?? {};
  if (type !== 'LoadBalancer' || secret !== undefined || plain) return [];
  const message =
    'Cannot use a LoadBalancer without TLS: clients would send their tokens as plain text, expected "gateway.tls_secret", or "gateway.plain_http: true" if TLS ends in front of it';
  return [makeError('missing-field', locate(['gateway', 'service_type']), message)];
}
