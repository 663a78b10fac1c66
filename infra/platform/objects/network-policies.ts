import { AUTHORISATION_PORTS } from '../../../edge/settings.ts';
import type { KubernetesEnvironment } from '../../../schemas/environment/environment.ts';
import type { EgressRule } from '../../../schemas/environment/kubernetes-environment.ts';
import { AUTHORISATION, EDGE } from '../../../schemas/environment/platform-names.ts';
import type { PlainManifest } from '../plain-manifest.ts';
import { KOURIER_GATEWAY } from '../knative/adapt-manifest.ts';
import { makePartLabels, makePlatformLabels } from '../labels.ts';

const KNATIVE = 'knative-serving';
const KOURIER = 'kourier-system';
/** The ports of Knative's proxy in a pod: requests in plain HTTP, HTTP/2 and TLS, and the autoscaler's metrics. */
const PROXY_PORTS = [8012, 8013, 8112, 9090];
/** The ports of Kourier for requests from inside the cluster, plain and with TLS. */
const KOURIER_INTERNAL_PORTS = [8081, 8444];
const DNS_PORTS = [53, 5353];
/** The address of a node-local DNS cache, where the cluster has one. */
const NODE_DNS = '169.254.20.10/32';

/** Makes the network policies; the cluster's network plugin must enforce them. */
export function makeNetworkPolicies(environment: KubernetesEnvironment): readonly PlainManifest[] {
  const own = environment.knative.mode === 'install';
  return [
    makeModelsPolicy(environment),
    makeAuthorisationPolicy(environment),
    // Others may use a Kourier that existed before.
    ...(own ? [makeKourierPolicy(environment)] : []),
  ];
}

/** Models accept requests from Knative only. They may reach DNS and the addresses that the environment allows. */
function makeModelsPolicy(environment: KubernetesEnvironment): PlainManifest {
  const { namespace, egress } = environment;
  return makePolicy(environment, namespace, {
    name: 'davit-models',
    podSelector: {},
    policyTypes: ['Ingress', ...(egress ? ['Egress'] : [])],
    ingress: [
      {
        // Kourier itself sends requests where the activator is not in the path.
        from: [{ namespaceSelector: named(KNATIVE) }, selectGatewayPods()],
        ports: tcp(PROXY_PORTS),
      },
    ],
    ...(egress && { egress: [makeDnsRule(), ...egress.map(makeEgressRule)] }),
  });
}

/**
 * The service answers any caller, so only the edge may reach it. Replicas may count together, and metrics are open to
 * all.
 */
function makeAuthorisationPolicy(environment: KubernetesEnvironment): PlainManifest {
  const { traffic, log, peers, health } = AUTHORISATION_PORTS;
  const podsOf = (part: string) => [{ podSelector: { matchLabels: makePartLabels(part) } }];
  return makePolicy(environment, environment.platformNamespace, {
    name: AUTHORISATION,
    podSelector: { matchLabels: makePartLabels(AUTHORISATION) },
    policyTypes: ['Ingress'],
    ingress: [
      { from: podsOf(EDGE), ports: tcp([traffic, log]) },
      { from: podsOf(AUTHORISATION), ports: tcp([peers]) },
      { ports: tcp([health]) },
    ],
  });
}

/** Kourier lets requests through to models without a token, so only the edge and Kourier's controller may reach it. */
function makeKourierPolicy(environment: KubernetesEnvironment): PlainManifest {
  const edge = {
    namespaceSelector: named(environment.platformNamespace),
    podSelector: { matchLabels: makePartLabels(EDGE) },
  };
  return makePolicy(environment, KOURIER, {
    name: 'davit-kourier',
    podSelector: { matchLabels: { app: KOURIER_GATEWAY } },
    policyTypes: ['Ingress'],
    ingress: [{ from: [edge], ports: tcp(KOURIER_INTERNAL_PORTS) }, { from: [{ namespaceSelector: named(KNATIVE) }] }],
  });
}

interface Policy {
  readonly name: string;
  readonly podSelector: unknown;
  readonly policyTypes: readonly string[];
  readonly ingress: readonly unknown[];
  readonly egress?: readonly unknown[];
}

function makePolicy(environment: KubernetesEnvironment, namespace: string, { name, ...spec }: Policy): PlainManifest {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name, namespace, labels: makePlatformLabels(environment) },
    spec,
  };
}

function makeDnsRule() {
  const ports = DNS_PORTS.flatMap((port) => ['UDP', 'TCP'].map((protocol) => ({ protocol, port })));
  return { to: [{ namespaceSelector: {} }, { ipBlock: { cidr: NODE_DNS } }], ports };
}

function makeEgressRule({ cidr, ports }: EgressRule) {
  return { to: [{ ipBlock: { cidr } }], ...(ports.length > 0 && { ports: tcp(ports) }) };
}

function selectGatewayPods() {
  return { namespaceSelector: named(KOURIER), podSelector: { matchLabels: { app: KOURIER_GATEWAY } } };
}

/** Kubernetes itself puts this label on every namespace. */
function named(namespace: string) {
  return { matchLabels: { 'kubernetes.io/metadata.name': namespace } };
}

function tcp(ports: readonly number[]) {
  return ports.map((port) => ({ protocol: 'TCP', port }));
}
