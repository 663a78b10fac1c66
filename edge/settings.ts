import type { IdentitySettings } from '../schemas/environment/kubernetes-environment.ts';
import type { MarkSettings } from './marks.ts';

/** The service's ports; a NetworkPolicy treats each differently. */
export const AUTHORISATION_PORTS = {
  /** For Envoy: checks and the management API. */
  traffic: 8080,
  /** For the kubelet and Prometheus: `/live`, `/ready`, `/metrics`. */
  health: 8081,
  /** For the other replicas: rate limits and counts. */
  peers: 8082,
  /** For Envoy: reports of answered queries, over gRPC. */
  log: 8083,
} as const;

/** The service's settings, passed in environment variables. */
export interface EdgeSettings {
  /** The namespace of the models and of the endpoint entries. */
  readonly namespace: string;
  readonly identity: IdentitySettings;
  /** Where clients reach the edge; undefined: the address in their own requests. */
  readonly url: string | undefined;
  /** The headless Service whose addresses are the replicas; undefined: this is the only replica. */
  readonly peers: { readonly namespace: string; readonly service: string } | undefined;
  /** Absent: queries get no mark, and the replicas have no key in common. */
  readonly marks?: MarkSettings | undefined;
}

export interface ListenSettings {
  /** This pod's address, as the headless Service lists it. */
  readonly address: string;
  readonly ports: Readonly<Record<keyof typeof AUTHORISATION_PORTS, number>>;
}

/** The variable that Kubernetes fills: `fieldRef: status.podIP`. */
export const ADDRESS_VARIABLE = 'POD_IP';
const SETTINGS_VARIABLE = 'DAVIT_EDGE';
const PORTS_VARIABLE = 'DAVIT_EDGE_PORTS';

/** Makes the variables of a Deployment, which must also set ADDRESS_VARIABLE. */
export function makeEdgeVariables(settings: EdgeSettings): Readonly<Record<string, string>> {
  return { [SETTINGS_VARIABLE]: JSON.stringify(settings) };
}

/** Variables → settings. Throws a TypeError that names the wrong variable. */
export function readEdgeSettings(variables: NodeJS.ProcessEnv): EdgeSettings & ListenSettings {
  const text = variables[SETTINGS_VARIABLE];
  if (text === undefined)
    throw new TypeError(`Cannot start: ${SETTINGS_VARIABLE} is not set, expected the settings as JSON`);
  const { namespace, identity, url, peers, marks } = JSON.parse(text) as Partial<EdgeSettings>;
  if (typeof namespace !== 'string' || typeof identity !== 'object')
    throw new TypeError(`Cannot read ${SETTINGS_VARIABLE}: expected an object with namespace and identity`);
  const ports = variables[PORTS_VARIABLE];
  return {
    namespace,
    identity,
    url,
    peers,
    marks,
    address: variables[ADDRESS_VARIABLE] ?? '',
    ports: { ...AUTHORISATION_PORTS, ...(ports !== undefined && (JSON.parse(ports) as object)) },
  };
}
