import { isIPv4, isIPv6 } from 'node:net';
import { z } from 'zod';
import { hardwareTable, quantity, wholeSeconds } from './hardware-file.ts';
import { debianPackage, imageRegistry, MOST_PACKAGES, pinnedImage } from './image-shape.ts';
import { OBJECT_NAME, OBJECT_NAME_RULE } from './kubernetes-names.ts';
import { refuseCredentials, makeTextSchema } from '../values/text-shape.ts';

const DNS_LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
/** Namespaces of other workloads, which the models' quota and policies would affect. */
const RESERVED_NAMESPACE = /^(default|kube-.*|knative-.*|kourier-system)$/;

const namespace = makeTextSchema(
  'expected the name of a namespace',
  (text) => {
    if (!DNS_LABEL.test(text)) return { message: 'expected 1 to 63 lowercase letters, digits or "-"' };
    return RESERVED_NAMESPACE.test(text)
      ? { message: 'expected a dedicated namespace, because other workloads use that one' }
      : undefined;
  },
  DNS_LABEL,
);
/** `acme/davit/.github/workflows/deploy.yaml`, with `@COMMIT` or `@refs/tags/v1`. */
const WORKFLOW =
  /^[A-Za-z0-9][A-Za-z0-9-]{0,38}\/[A-Za-z0-9._-]{1,100}\/\.github\/workflows\/[A-Za-z0-9._-]+\.ya?ml(?:@[A-Za-z0-9._/-]+)?$/;
const secretName = z.string().regex(OBJECT_NAME, OBJECT_NAME_RULE);
const stringMap = z.record(z.string(), z.string());

const provenance = z.strictObject({
  repository: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,38}\/[A-Za-z0-9._-]{1,100}$/, 'expected OWNER/NAME')
    .describe('The GitHub repository whose workflow builds the images: OWNER/NAME'),
  workflow: z
    .string()
    .regex(WORKFLOW, 'expected OWNER/NAME/.github/workflows/FILE.yaml, with @COMMIT to pin the release')
    .describe('The workflow that builds and attests, as the repository calls it; with @COMMIT only that release'),
  branch: z
    .string()
    .regex(/^[A-Za-z0-9_][A-Za-z0-9._/-]{0,200}$/, 'expected the name of a branch')
    .optional()
    .describe('The branch on which the workflow ran; default main'),
});

const images = z
  .strictObject(
    {
      registry: imageRegistry.describe('Where images are pushed: REGISTRY/ENDPOINT:TAG'),
      bases: z
        .record(z.string().regex(/^3\.\d+$/, 'expected a minor version of Python, such as "3.11"'), pinnedImage)
        .refine((bases) => Object.keys(bases).length > 0, 'expected an image for at least one version of Python')
        .describe(
          'Base image of model servers by minor version of Python, by digest: python:3.11-slim or one of your own',
        ),
      packages: z
        .array(debianPackage)
        .max(MOST_PACKAGES, `expected at most ${MOST_PACKAGES}`)
        .optional()
        .describe(
          'Debian packages to install over the base image of model servers, such as libgomp1; the build then needs a network; default: none',
        ),
      node: pinnedImage.describe('Base image, with Node 24 as node on its PATH, of the authorisation service'),
      envoy: pinnedImage.describe("Envoy's image, for the edge"),
      platform: z
        .enum(['linux/amd64', 'linux/arm64'])
        .optional()
        .describe('Platform of the images; default linux/amd64'),
      docker_host: z
        .string()
        .regex(/^(unix|tcp|ssh|npipe):\/\//, 'expected unix://, tcp:// or ssh://')
        .optional()
        .describe('DOCKER_HOST of the engine that builds images; default: that of Docker'),
      timeout_seconds: wholeSeconds
        .optional()
        .describe('Maximum seconds for one build, including the push; default 3600'),
      retries: z
        .int()
        .min(0, 'expected 0 to 10')
        .max(10, 'expected 0 to 10')
        .optional()
        .describe('Number of retries after a failed build; default 2'),
      pull_secret: secretName
        .optional()
        .describe('Secret of type dockerconfigjson, in both namespaces, for a private registry'),
      provenance: provenance
        .optional()
        .describe('Deploy only images with an attestation of this workflow; default: images of any origin'),
    },
    {
      error: ({ code }) => (code === 'invalid_type' ? 'expected a map of registry, bases, node and envoy' : undefined),
    },
  )
  .describe('The images of model servers and of the platform');

const KNATIVE_IMAGE_NAMES = ['activator', 'autoscaler', 'controller', 'webhook', 'queue', 'kourier', 'envoy'] as const;

const manifestSource = makeTextSchema('expected a URL or a path', (text) => {
  const expected = 'expected an https URL, or a path in the project';
  if (text === '' || (text.includes('://') && !/^https?:\/\/[^/\s]+\/\S*$/.test(text))) return { message: expected };
  return text.includes('://') ? refuseCredentials(text, 'Use a file in the project instead') : undefined;
});

const knative = z.strictObject({
  manifests: z
    .array(
      z.strictObject({
        source: manifestSource.describe('https URL, or path in the project'),
        sha256: z
          .string()
          .regex(/^[0-9a-f]{64}$/, 'expected 64 hexadecimal digits')
          .describe('SHA-256 of the file'),
      }),
    )
    .min(1, 'expected at least one file')
    .describe('Manifests of Knative Serving and Kourier, in the order of application'),
  images: z
    .strictObject(
      Object.fromEntries(
        KNATIVE_IMAGE_NAMES.map((name) => [
          name,
          pinnedImage.optional().describe('Image of the program, by digest; default: that of the manifests'),
        ]),
      ) as Record<(typeof KNATIVE_IMAGE_NAMES)[number], z.ZodOptional<typeof pinnedImage>>,
    )
    .optional()
    .describe('Replacement images by program, such as those of a mirror'),
});

function makeWebAddressSchema(expected: string, shape: RegExp) {
  return makeTextSchema(
    expected,
    (text) =>
      refuseCredentials(text, 'Write the address without credentials') ??
      (shape.test(text) ? undefined : { message: expected }),
    shape,
  );
}

const ORIGIN = /^https?:\/\/[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d{1,5})?$/;

const gateway = z.strictObject({
  url: makeWebAddressSchema('expected https://HOST, without path', /^https?:\/\/[^/?#\s]+\/?$/)
    .optional()
    .describe('URL of the edge for clients; default: the address of its Service'),
  service_type: z
    .enum(['ClusterIP', 'LoadBalancer', 'NodePort'])
    .optional()
    .describe("Type of the edge's Service; default ClusterIP"),
  annotations: stringMap.optional().describe("Annotations of the edge's Service, for a load balancer's controller"),
  tls_secret: secretName.optional().describe('Secret of type tls in the platform namespace; default: plain HTTP'),
  replicas: z
    .int()
    .min(1, 'expected 1 to 50')
    .max(50, 'expected 1 to 50')
    .optional()
    .describe('Replicas of the edge, and as many of the authorisation service; default 2'),
  plain_http: z
    .boolean()
    .optional()
    .describe('true: a LoadBalancer without tls_secret, because TLS ends in front of it; default false'),
  requests_per_source: z
    .int()
    .min(1, 'expected 1 to 1000000')
    .max(1_000_000, 'expected 1 to 1000000')
    .optional()
    .describe('Requests a second that one replica of the edge takes from one client address; default 2000'),
  allowed_origins: z
    .array(z.string().regex(ORIGIN, 'expected an origin as browsers send it, such as https://app.example.com, not "*"'))
    .optional()
    .describe('Origins that may send requests from a browser (CORS); default: none'),
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
      issuer: makeWebAddressSchema('expected https://…, without query', /^https:\/\/[^?#\s]+$/).describe(
        'Issuer, as in the tokens',
      ),
      audience: z.string().min(1, 'expected an audience').describe('Audience of the tokens'),
      username_claim: z
        .string()
        .min(1, 'expected a claim')
        .optional()
        .describe('Claim with the user name; default email'),
      groups_claim: z.string().min(1, 'expected a claim').optional().describe('Claim with the groups; default groups'),
    }),
  ],
  'expected kubernetes or oidc',
);

/**
 * A quota resource of Kubernetes. Refuses limits.cpu: models set no CPU limit, so that quota would reject every model.
 */
const quotaName = z
  .string()
  .refine((name) => name !== 'limits.cpu', 'models have no CPU limit, expected requests.cpu')
  .refine(
    (name) => /^((requests\.|limits\.)?(cpu|memory|ephemeral-storage)|requests\.[a-z0-9.-]+\/[\w.-]+|pods)$/.test(name),
    'expected requests.cpu, requests.memory, limits.memory, pods or requests.DOMAIN/DEVICE',
  );

const addressRange = makeTextSchema('expected an address range, such as 10.0.0.0/8', (text) => {
  const [, address = '', bits = ''] = /^([0-9a-f.:]+)\/(\d{1,3})$/i.exec(text) ?? [];
  const most = isIPv4(address) ? 32 : isIPv6(address) ? 128 : -1;
  return Number(bits) <= most ? undefined : { message: 'expected an address range, such as 10.0.0.0/8' };
});

/** The fields of a Kubernetes environment, except `name`, `target` and `autoscaling`. */
export const kubernetesFields = {
  cluster: z
    .strictObject({
      context: z
        .string()
        .min(1, 'expected a context')
        .optional()
        .describe('kubectl context; default: the current context'),
      kubeconfig: z
        .string()
        .min(1, 'expected a path')
        .optional()
        .describe(
          'Path of a kubeconfig file: absolute, below ~, or relative to the project; default: KUBECONFIG, ~/.kube/config',
        ),
    })
    .optional()
    .describe('The cluster'),
  namespace: namespace.optional().describe('Namespace of the models; default models'),
  platform_namespace: namespace
    .optional()
    .describe('Namespace of the edge and the authorisation service; default davit-system'),
  images,
  knative: knative.optional().describe('Knative Serving and Kourier to install; default: those that are installed'),
  gateway: gateway.optional().describe('The edge, to which clients send requests'),
  identity: identity.optional().describe('Identity provider whose tokens are accepted; default: Kubernetes'),
  hardware: hardwareTable
    .optional()
    .describe('Hardware of the workload types; each field overrides its default; null: unavailable'),
  secrets: z
    .record(z.string(), secretName)
    .optional()
    .describe('Kubernetes Secret for a scope in {{secrets/scope/key}}; default: the Secret with the same name'),
  quota: z
    .record(quotaName, quantity)
    .optional()
    .describe('Quota for all models together: requests.cpu, requests.memory, …'),
  egress: z
    .array(
      z.strictObject({
        cidr: addressRange.describe('The range, such as 10.0.0.0/8'),
        ports: z
          .array(z.int().min(1, 'expected 1 to 65535').max(65_535, 'expected 1 to 65535'))
          .optional()
          .describe('Ports; default: all'),
      }),
    )
    .optional()
    .describe(
      'Address ranges that models may connect to, besides DNS; default: all but cloud metadata (169.254.0.0/16)',
    ),
};
