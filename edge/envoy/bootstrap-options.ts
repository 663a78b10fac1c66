/** The address of a listener. A name may resolve to many addresses, and each of them receives requests. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Files of a mounted Secret; their content may change while Envoy runs. */
export interface TlsFiles {
  /** The Secret's mount folder. Kubernetes replaces the whole folder at once. */
  readonly folder: string;
  readonly certificate: string;
  readonly key: string;
  /** The file that `makeTlsFile` fills. */
  readonly discovery: string;
}

/** The settings of an edge. None of them depends on an endpoint. */
export interface BootstrapOptions {
  /** The authorisation service: the name of its headless Service, so that Envoy sees every replica. */
  readonly authorisation: Address;
  /** The port where the same service receives reports of answered queries; default: its usual port. */
  readonly logPort?: number;
  /** Kourier's internal listener. */
  readonly kourier: Address;
  /** The port for clients. */
  readonly port: number;
  /** `/ready` and `/metrics`. */
  readonly healthPort: number;
  /** On loopback: `/drain_listeners`, statistics. */
  readonly adminPort: number;
  /** The longest cold start and the longest execution together. Nothing here may end a request earlier. */
  readonly longestRequestSeconds: number;
  readonly tls: TlsFiles | undefined;
  /** Pages of these origins may send requests from a browser: `https://app.example.com`. */
  readonly allowedOrigins: readonly string[];
  /** How many requests a second one source address may send; default: 2000. */
  readonly requestsPerSource?: number | undefined;
  /** Above it new requests are refused, so that Envoy is not killed with the requests it holds; undefined: no limit. */
  readonly maxHeapBytes: number | undefined;
}
