import type { KubernetesSettings, PinnedFile } from '../schemas/environment/kubernetes-environment.ts';
import { BASE_PYTHON } from './registry-images/base-image.ts';

/** A cluster as a target for endpoints. The user has to fill in undefined values. */
export interface ClusterDescription {
  readonly cluster: Partial<KubernetesSettings['cluster']>;
  readonly registry: string | undefined;
  /** Images by name: `python`, `node` and `envoy` are used. */
  readonly images: Readonly<Record<string, string>>;
  readonly dockerHost: string | undefined;
  /** The manifests that `davit up _platform` installs; undefined: the cluster has Knative. */
  readonly knative: readonly PinnedFile[] | 'to fill in' | undefined;
  /** Whether the cluster runs on this machine and shares its memory. */
  readonly small: boolean;
}

/** Marks a comment for a value that the user has to fill in. */
export const TO_FILL_IN = 'TO FILL IN';
const GPU_TYPES = ['MEDIUM', 'MEDIUM_4', 'MEDIUM_8', 'LARGE', 'LARGE_2', 'LARGE_4', 'LARGE_8', 'XLARGE', 'XLARGE_8'];

/** The text of an environment file for a test cluster. */
export function renderEnvironment(described: ClusterDescription): string {
  const { cluster, small } = described;
  const place = Object.entries(cluster).map(([name, value]) => `${name}: ${quoteText(value ?? '')}`);
  return [
    'name: cluster',
    'target: kubernetes',
    `cluster: { ${place.join(', ')} }`,
    ...renderImages(described),
    ...renderKnative(described),
    ...(small ? SMALL_SETTINGS : []),
    '',
  ].join('\n');
}

function renderImages({ registry, images, dockerHost, small }: ClusterDescription): readonly string[] {
  const { python, node, envoy } = images;
  return [
    'images:',
    line(
      '  registry',
      registry,
      'HOST/PATH to which you can push and from which the cluster can pull, such as ghcr.io/acme/models',
    ),
    line(`  bases: { "${BASE_PYTHON}"`, python, 'docker.io/library/python@sha256:… of 3.11-slim', ' }'),
    line('  node', node, 'docker.io/library/node@sha256:… of 24-slim'),
    line('  envoy', envoy, 'docker.io/envoyproxy/envoy@sha256:…'),
    ...(dockerHost === undefined ? [] : [`  docker_host: ${quoteText(dockerHost)}`]),
    ...(small && process.arch === 'arm64' ? ['  platform: linux/arm64'] : []),
  ];
}

/** A line, or a comment that says what to fill in. */
function line(field: string, value: string | undefined, missing: string, end = ''): string {
  return value === undefined ? `  # ${TO_FILL_IN}:${field}: ${missing}${end}` : `${field}: ${quoteText(value)}${end}`;
}

function renderKnative({ knative }: ClusterDescription): readonly string[] {
  if (!knative) return [];
  if (knative === 'to fill in')
    return [
      `# ${TO_FILL_IN}: the cluster has no Knative Serving: install it with Kourier, or name manifests here, for example`,
      ...EXAMPLE,
    ];
  return [
    'knative:',
    '  manifests:',
    ...knative.map(({ source, sha256 }) => `    - { source: ${quoteText(source)}, sha256: ${sha256} }`),
  ];
}

const EXAMPLE = ['# knative:', '#   manifests:', '#     - { source: https://…/serving-crds.yaml, sha256: … }'];

/**
 * Much smaller than at Databricks, so that many small models fit on one machine and a mistake does not take half an
 * hour.
 */
const SMALL_SETTINGS = [
  'autoscaling: { scale_down_seconds: 30, idle_seconds: 120 }',
  'hardware:',
  '  CPU: { cpu: 10m, memory: 256Mi, deployment_seconds: 300, cold_start_seconds: 60 }',
  '  CPU_MEDIUM: { cpu: 10m, memory: 512Mi, deployment_seconds: 300, cold_start_seconds: 60 }',
  '  CPU_LARGE: { cpu: 10m, memory: 1Gi, deployment_seconds: 300, cold_start_seconds: 60 }',
  '  GPU_SMALL:',
  '    { cpu: 40m, memory: 1Gi, gpu: { count: 1 }, node_selector: {}, deployment_seconds: 300, cold_start_seconds: 60 }',
  ...GPU_TYPES.map((type) => `  GPU_${type}: null`),
  '  MULTIGPU_MEDIUM: null',
];

/** A JSON string is also a YAML string. */
function quoteText(text: string): string {
  return JSON.stringify(text);
}
