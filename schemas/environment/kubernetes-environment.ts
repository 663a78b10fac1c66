import type { HardwareTable } from './hardware.ts';

/** The settings that only Kubernetes environments have, with every default filled in. */
export interface KubernetesSettings {
  /** Undefined context: kubectl's current context. Undefined kubeconfig: KUBECONFIG, else ~/.kube/config. */
  readonly cluster: { readonly kubeconfig: string | undefined; readonly context: string | undefined };
  /** Namespace of the models: `models`. */
  readonly namespace: string;
  /** Namespace of the edge and the authorisation service: `davit-system`. */
  readonly platformNamespace: string;
  readonly images: ImageSettings;
  readonly knative: KnativeSettings;
  readonly gateway: GatewaySettings;
  readonly identity: IdentitySettings;
  readonly hardware: HardwareTable;
  /** Maps a scope of `{{secrets/scope/key}}` to a Secret in `namespace`. Default: the Secret named like the scope. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Kubernetes quantities by resource (`requests.cpu`, `requests.nvidia.com/gpu`) for all models together. */
  readonly quota: Readonly<Record<string, string>>;
  /** Egress that models are allowed besides DNS. Undefined: all egress but that to cloud metadata. */
  readonly egress: readonly EgressRule[] | undefined;
}

export interface ImageSettings {
  /** `ghcr.io/acme/models`: images are `REGISTRY/ENDPOINT:TAG`. */
  readonly registry: string;
  /** Base image of model servers by minor version of Python: `{"3.11": "docker.io/library/python@sha256:…"}`. */
  readonly bases: Readonly<Record<string, string>>;
  /** Debian packages that are installed over the base image of model servers, sorted: `libgomp1`. */
  readonly packages: readonly string[];
  /** Base image of the authorisation service. It must have Node 24 as `node` on its PATH. */
  readonly node: string;
  /** Envoy's image. */
  readonly envoy: string;
  /** `linux/amd64` */
  readonly platform: string;
  /** DOCKER_HOST of the engine that builds. Undefined: Docker's default. */
  readonly dockerHost: string | undefined;
  /** Maximum seconds for one build, including the push. */
  readonly timeoutSeconds: number;
  /** Number of retries after a failed build. */
  readonly retries: number;
  /** Secret of type dockerconfigjson for a private registry. It must exist in both namespaces. */
  readonly pullSecret: string | undefined;
  /** Who must have attested an image before a revision uses it. Undefined: images may have any origin. */
  readonly provenance?: ProvenancePolicy | undefined;
}

/** The one origin of images, as GitHub certifies it in their attestations. */
export interface ProvenancePolicy {
  /** `acme/models` */
  readonly repository: string;
  /** `OWNER/davit/.github/workflows/deploy.yaml`, with `@REF` where the release is pinned. */
  readonly workflow: string;
  /** `main` */
  readonly branch: string;
}

/** `adopt` uses and configures the installed Knative Serving and Kourier. `install` applies these manifests. */
export type KnativeSettings =
  | { readonly mode: 'adopt' }
  | {
      readonly mode: 'install';
      /** In the order of application. */
      readonly manifests: readonly PinnedFile[];
      /** Replacement images by program: activator, autoscaler, controller, kourier, queue, webhook, envoy. */
      readonly images: Readonly<Record<string, string>>;
    };

export interface PinnedFile {
  /** URL, or path in the project. */
  readonly source: string;
  /** 64 hexadecimal digits. */
  readonly sha256: string;
}

export interface GatewaySettings {
  /** The URL that clients use: `https://serving.example.com`. Undefined: the address of the edge's Service. */
  readonly url: string | undefined;
  readonly serviceType: 'ClusterIP' | 'LoadBalancer' | 'NodePort';
  readonly annotations: Readonly<Record<string, string>>;
  /** Secret of type tls in the platform namespace. Undefined: plain HTTP, if another proxy terminates TLS. */
  readonly tlsSecret: string | undefined;
  /** Replicas of the edge, and the same number of the authorisation service. */
  readonly replicas: number;
  /** Whether a LoadBalancer may serve plain HTTP, because TLS ends in front of it. */
  readonly plainHttp?: boolean | undefined;
  /** Requests a second that one replica of the edge takes from one client address. Undefined: the edge's default. */
  readonly requestsPerSource?: number | undefined;
  /** Origins that may send requests from a browser (CORS): `https://app.example.com`. */
  readonly allowedOrigins: readonly string[];
}

/** The identity provider whose tokens are accepted. */
export type IdentitySettings =
  | { readonly kind: 'kubernetes'; readonly audience: string }
  | {
      readonly kind: 'oidc';
      readonly issuer: string;
      readonly audience: string;
      readonly usernameClaim: string;
      readonly groupsClaim: string;
    };

/** Allows models to connect to an address range. */
export interface EgressRule {
  /** `10.0.0.0/8` */
  readonly cidr: string;
  /** Empty: all ports. */
  readonly ports: readonly number[];
}
