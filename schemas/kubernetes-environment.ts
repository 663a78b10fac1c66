import type { HardwareTable } from './hardware.ts';

/** What an environment on Kubernetes says besides what every environment says; every default is in it. */
export interface KubernetesPlace {
  /** Which cluster. Undefined context: kubectl's current one; undefined kubeconfig: KUBECONFIG, else ~/.kube/config. */
  readonly cluster: { readonly kubeconfig: string | undefined; readonly context: string | undefined };
  /** Where models run: `models`. */
  readonly namespace: string;
  /** Where the edge and the authorisation service run: `davit-system`. */
  readonly platformNamespace: string;
  readonly images: ImageSettings;
  readonly knative: KnativeSettings;
  readonly gateway: GatewaySettings;
  readonly identity: IdentitySettings;
  readonly hardware: HardwareTable;
  /** Scope of `{{secrets/scope/key}}` → name of the Kubernetes Secret in `namespace`; an absent scope is its own name. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Kubernetes quantities by resource (`requests.cpu`, `requests.nvidia.com/gpu`) for all models together. */
  readonly quota: Readonly<Record<string, string>>;
  /** What models may reach besides names (DNS); undefined: everything. */
  readonly egress: readonly EgressRule[] | undefined;
}

export interface ImageSettings {
  /** `ghcr.io/acme/models`: images are `REGISTRY/ENDPOINT:TAG`. */
  readonly registry: string;
  /** Base image of model servers by minor version of Python: `{"3.11": "docker.io/library/python@sha256:…"}`. */
  readonly bases: Readonly<Record<string, string>>;
  /** Base image, with Node 24 as `node` on its PATH, of the authorisation service. */
  readonly node: string;
  /** Envoy's image. */
  readonly envoy: string;
  /** `linux/amd64` */
  readonly platform: string;
  /** DOCKER_HOST of the engine that builds; undefined: Docker's own choice. */
  readonly dockerHost: string | undefined;
  /** Seconds one build may take, push included. */
  readonly timeoutSeconds: number;
  /** How often a failed build is tried again. */
  readonly retries: number;
  /** Name of a Secret of type dockerconfigjson in both namespaces, for a private registry. */
  readonly pullSecret: string | undefined;
}

/** `adopt`: Knative Serving and Kourier are there, and are configured; `install`: they come from these manifests. */
export type KnativeSettings =
  | { readonly mode: 'adopt' }
  | {
      readonly mode: 'install';
      /** In the order in which they are applied. */
      readonly manifests: readonly PinnedFile[];
      /** By name of the program (activator, autoscaler, controller, kourier, queue, webhook, envoy): what to run instead. */
      readonly images: Readonly<Record<string, string>>;
    };

export interface PinnedFile {
  /** URL, or path in the project. */
  readonly source: string;
  /** 64 hexadecimal digits. */
  readonly sha256: string;
}

export interface GatewaySettings {
  /** Where clients reach the edge: `https://serving.example.com`; undefined: the address of its Service. */
  readonly url: string | undefined;
  readonly serviceType: 'ClusterIP' | 'LoadBalancer' | 'NodePort';
  readonly annotations: Readonly<Record<string, string>>;
  /** Secret of type tls in the platform's namespace; undefined: plain HTTP, for who ends TLS elsewhere. */
  readonly tlsSecret: string | undefined;
  /** Of the edge and of the authorisation service, each. */
  readonly replicas: number;
}

/** Whose tokens count. */
export type IdentitySettings =
  | { readonly kind: 'kubernetes'; readonly audience: string }
  | {
      readonly kind: 'oidc';
      readonly issuer: string;
      readonly audience: string;
      readonly usernameClaim: string;
      readonly groupsClaim: string;
    };

/** An address range and ports that models may reach. */
export interface EgressRule {
  /** `10.0.0.0/8` */
  readonly cidr: string;
  /** Empty: all. */
  readonly ports: readonly number[];
}
