/** A set of endpoints that somebody has deployed, as clients know it. */
export interface ServingAccess {
  /** `http://127.0.0.1:8080` */
  readonly host: string;
  readonly token: string;
  /** The token of somebody who may see the endpoint FAULTS, not query it, and knows of no other. */
  readonly viewer: string | undefined;
}

/** In what the targets differ, each for a reason of its own. Everything else is asked of all of them alike. */
export interface Capabilities {
  /** Whether callers are told apart. Local: whoever has a token of this machine's gateway may query everything. */
  readonly permissions: boolean;
  /** In every build log. Local: the model was loaded where it serves; Kubernetes: its image was made elsewhere. */
  readonly buildLog: string;
}

export interface ConformanceTarget {
  readonly name: string;
  readonly capabilities: Capabilities;
  /** Deploys ENDPOINTS (endpoint-files.ts). */
  readonly deploy: () => Promise<ServingAccess>;
  /** Takes everything down again, also after a deployment that failed. */
  readonly remove: () => Promise<void>;
}
