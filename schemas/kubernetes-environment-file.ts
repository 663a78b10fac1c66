import { z } from 'zod';
import { WORKLOAD_TYPES } from './endpoint-file.ts';
import type { IssueParams } from './render-issue.ts';
import { parseQuantity } from './quantity.ts';

const DNS_LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const DNS_RULE = 'expected 1 to 63 small letters, digits or "-"';
const MAX_SECONDS = 86_400;

const label = z.string().regex(DNS_LABEL, DNS_RULE);
const wholeSeconds = z
  .int('expected whole seconds')
  .min(1, 'expected 1 or more')
  .max(MAX_SECONDS, `expected ${MAX_SECONDS} (a day) or less`);
const quantity = z
  .string()
  .refine((text) => parseQuantity(text) !== undefined, 'expected a quantity of Kubernetes, as in 500m, 2 or 4Gi');
const texts = z.record(z.string(), z.string());

/** `HOST/PATH@sha256:…`: a tag would be another image tomorrow. */
const pinnedImage = z.string().refine((text) => IMAGE.test(text), {
  error: 'expected an image by its digest, REGISTRY/NAME@sha256:<64 hexadecimal digits>',
  params: {
    code: 'bad-value',
    hint: 'docker buildx imagetools inspect NAME:TAG prints the digest; write it in place of the tag',
  } satisfies IssueParams,
});
const IMAGE = /^[a-z0-9.-]+(?::\d+)?(?:\/[a-z0-9._-]+)*@sha256:[0-9a-f]{64}$/;

const registry = z
  .string()
  .regex(
    /^[a-z0-9.-]+(?::\d+)?(?:\/[a-z0-9._-]+)*$/,
    'expected HOST/PATH in small letters, without scheme, tag or credentials, as in ghcr.io/acme/models',
  );

const images = z.strictObject({
  registry: registry.describe('Where images are pushed: REGISTRY/ENDPOINT:TAG'),
  bases: z
    .record(z.string().regex(/^3\.\d+$/, 'expected a minor version of Python, as in "3.11"'), pinnedImage)
    .describe('Base image of model servers by minor version of Python, by digest: python:3.11-slim or one of your own'),
  node: pinnedImage.describe('Base image, with Node 24 as node on its PATH, of the authorisation service'),
  envoy: pinnedImage.describe("Envoy's image, for the edge"),
  platform: z
    .enum(['linux/amd64', 'linux/arm64'])
    .optional()
    .describe('What images are built for; default linux/amd64'),
  docker_host: z
    .string()
    .regex(/^(unix|tcp|ssh|npipe):\/\//, 'expected unix://, tcp:// or ssh://')
    .optional()
    .describe("DOCKER_HOST of the engine that builds; default: Docker's own choice"),
  timeout_seconds: wholeSeconds.optional().describe('How long one build may take, push included; default 3600'),
  retries: z
    .int()
    .min(0, 'expected 0 to 10')
    .max(10, 'expected 0 to 10')
    .optional()
    .describe('How often a failed build is tried again; default 2'),
  pull_secret: label.optional().describe('Secret of type dockerconfigjson, in both namespaces, for a private registry'),
});

const knative = z.strictObject({
  manifests: z
    .array(
      z.strictObject({
        source: z.string().min(1, 'expected a URL or a path').describe('https URL, or path in the project'),
        sha256: z
          .string()
          .regex(/^[0-9a-f]{64}$/, 'expected 64 hexadecimal digits')
          .describe('SHA-256 of the file'),
      }),
    )
    .min(1, 'expected at least one file')
    .describe('What is applied, in this order: Knative Serving and Kourier'),
  images: z
    .record(z.string(), z.string())
    .optional()
    .describe('What to run instead, by program: activator, autoscaler, controller, webhook, queue, kourier, envoy'),
});

const gateway = z.strictObject({
  url: z
    .string()
    .regex(/^https?:\/\/[^/@\s]+\/?$/, 'expected https://HOST, without path or credentials')
    .optional()
    .describe('Where clients reach the edge; default: the address of its Service'),
  service_type: z
    .enum(['ClusterIP', 'LoadBalancer', 'NodePort'])
    .optional()
    .describe("Type of the edge's Service; default ClusterIP"),
  annotations: texts.optional().describe("Annotations of the edge's Service, for a load balancer's controller"),
  tls_secret: label.optional().describe('Secret of type tls in the platform namespace; default: plain HTTP'),
  replicas: z
    .int()
    .min(1, 'expected 1 to 50')
    .max(50, 'expected 1 to 50')
    .optional()
    .describe('Replicas of the edge and of the authorisation service, each; default 2'),
});

const identity = z.discriminatedUnion(
  'kind',
  [
    z.strictObject({
      kind: z.literal('kubernetes').describe("Tokens of the cluster's own users and service accounts"),
      audience: z.string().min(1, 'expected an audience').optional().describe('Audience of the tokens; default davit'),
    }),
    z.strictObject({
      kind: z.literal('oidc').describe('Tokens of an OpenID Connect provider'),
      issuer: z
        .string()
        .regex(/^https:\/\/[^@\s]+$/, 'expected https://…, without credentials')
        .describe('Issuer, as in the tokens'),
      audience: z.string().min(1, 'expected an audience').describe('Audience of the tokens'),
      username_claim: z.string().min(1, 'expected a claim').optional().describe('Who it is; default email'),
      groups_claim: z.string().min(1, 'expected a claim').optional().describe('Whose member it is; default groups'),
    }),
  ],
  'expected kubernetes or oidc',
);

const toleration = z.strictObject({
  key: z.string().optional(),
  operator: z.enum(['Exists', 'Equal']).optional(),
  value: z.string().optional(),
  effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']).optional(),
});

const hardware = z.strictObject({
  per: z
    .enum(['unit', 'replica'])
    .optional()
    .describe('Whether processors and memory are for one unit of concurrency or for a replica'),
  cpu: quantity.optional().describe('Processors that are requested'),
  memory: quantity.optional().describe('Memory, requested and at most'),
  gpu: z
    .strictObject({
      resource: z
        .string()
        .regex(/^[a-z0-9.-]+\/[a-z0-9._-]+$/, 'expected an extended resource, as in nvidia.com/gpu')
        .optional()
        .describe('The extended resource; default nvidia.com/gpu'),
      count: z.int().min(1, 'expected 1 or more').describe('Cards of one replica'),
      model: z.string().optional().describe('For a person: 1 × T4, 16 GB'),
    })
    .nullable()
    .optional()
    .describe('Graphics cards of one replica; null: none'),
  node_selector: texts.optional().describe('Labels of the nodes'),
  tolerations: z.array(toleration).optional().describe('Taints of the nodes that do not matter'),
  deployment_seconds: wholeSeconds.optional().describe('Within which a revision must be ready'),
  cold_start_seconds: wholeSeconds.optional().describe('How long a request waits at most for a replica to start'),
});

const WORKLOAD_NAMES = WORKLOAD_TYPES as readonly string[];

/** The fields of an environment on Kubernetes beside `name` and `target`. */
export const kubernetesFields = {
  cluster: z
    .strictObject({
      context: z
        .string()
        .min(1, 'expected a context')
        .optional()
        .describe("Context of kubectl's; default: the current one"),
      kubeconfig: z
        .string()
        .min(1, 'expected a path')
        .optional()
        .describe(
          'Path of a kubeconfig file, absolute, from ~ or from the project; default: KUBECONFIG, ~/.kube/config',
        ),
    })
    .optional()
    .describe('Which cluster'),
  namespace: label.optional().describe('Where models run; default models'),
  platform_namespace: label.optional().describe('Where edge and authorisation run; default davit-system'),
  images,
  knative: knative.optional().describe('What to install; default: Knative Serving and Kourier that are there'),
  gateway: gateway.optional(),
  identity: identity.optional().describe('Whose tokens count; default: those of Kubernetes'),
  hardware: z
    .record(
      z.string().refine((name) => WORKLOAD_NAMES.includes(name), `expected one of ${WORKLOAD_NAMES.join(', ')}`),
      hardware.nullable(),
    )
    .optional()
    .describe("What workload types are here, field by field over Databricks' own; null: not to be had"),
  secrets: z
    .record(z.string(), label)
    .optional()
    .describe('Kubernetes Secret of a scope in {{secrets/scope/key}}; default: of the same name'),
  quota: z.record(z.string(), quantity).optional().describe('Of all models together: requests.cpu, requests.memory, …'),
  egress: z
    .array(
      z.strictObject({
        cidr: z.string().regex(/^[0-9a-f.:]+\/\d{1,3}$/i, 'expected an address range, as in 10.0.0.0/8'),
        ports: z.array(z.int().min(1).max(65_535)).optional().describe('Default: all'),
      }),
    )
    .optional()
    .describe('What models may reach besides names; default: everything'),
};
