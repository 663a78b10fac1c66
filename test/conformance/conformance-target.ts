/** The address and the tokens with which clients reach the deployed endpoints. */
export interface ServingAccess {
  /** `http://127.0.0.1:8080` */
  readonly host: string;
  readonly token: string;
  /** The token of a caller who may view the endpoint FAULTS but not query it, and has no permission on any other. */
  readonly viewer: string | undefined;
}

/** The intended differences between the targets. Everything else must be the same on all targets. */
export interface Capabilities {
  /** Whether each caller has permissions. On the local target, every valid token permits all queries. */
  readonly permissions: boolean;
  /** Text in every build log. Local: the replica has loaded the model. Kubernetes: the image was built elsewhere. */
  readonly buildLog: string;
}

export interface ConformanceTarget {
  readonly name: string;
  readonly capabilities: Capabilities;
  /** Deploys ENDPOINTS (endpoint-files.ts). */
  readonly deploy: () => Promise<ServingAccess>;
  /** Takes all endpoints down, also after a failed deployment. */
  readonly remove: () => Promise<void>;
}
