import { BlockList, isIPv6 } from 'node:net';
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
/** Link-local addresses, where clouds answer with the node's credentials, and the IPv6 address of one of them. */
const METADATA_RANGES = ['169.254.0.0/16', 'fe80::/10', 'fd00:ec2::254/128'];
/** Some networks do not count pods among addresses, so they are named apart. */
const DEFAULT_EGRESS = [
  { to: [{ namespaceSelector: {} }] },
  { to: [makeAddressBlock('0.0.0.0/0'), makeAddressBlock('::/0')] },
];
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

/**
 * Models accept requests from Knative only. They may reach DNS and the addresses that the environment allows. Without
 * `egress` these are all but those where clouds give the node's credentials to whoever asks.
 */
function makeModelsPolicy(environment: KubernetesEnvironment): PlainManifest {
  const { namespace, egress } = environment;
  return makePolicy(environment, namespace, {
    name: 'davit-models',
    podSelector: {},
    policyTypes: ['Ingress', 'Egress'],
    ingress: [
      {
        // Kourier itself sends requests where the activator is not in the path.
        from: [{ namespaceSelector: named(KNATIVE) }, selectGatewayPods()],
        ports: tcp(PROXY_PORTS),
      },
    ],
    egress: [makeDnsRule(), ...(egress?.map(makeEgressRule) ?? DEFAULT_EGRESS)],
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
  return { to: [makeAddressBlock(cidr)], ...(ports.length > 0 && { ports: tcp(ports) }) };
}

/** Only a rule for a part of these addresses opens them, because somebody has then named them. */
function makeAddressBlock(cidr: string) {
  const except = METADATA_RANGES.filter((range) => isInside(range, cidr));
  return { ipBlock: { cidr, ...(except.length > 0 && { except }) } };
}

/** Whether a range is a part of a larger one. */
function isInside(range: string, larger: string): boolean {
  const [[address, bits], [outer, outerBits]] = [splitRange(range), splitRange(larger)];
  if (isIPv6(address) !== isIPv6(outer) || outerBits >= bits) return false;
  const list = new BlockList();
  const family = isIPv6(address) ? 'ipv6' : 'ipv4';
  list.addSubnet(outer, outerBits, family);
  return list.check(address, family);
}

function splitRange(range: string): readonly [string, number] {
  const [address = '', bits] = range.split('/');
  return [address, Number(bits)];
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
