import type { Environment } from './environment.ts';
import type { Revision } from './revision.ts';
import type { RateLimit } from './serving-entry.ts';
import type { Signature } from './signature.ts';

/** What the program tells the local target's provider about itself. */
export interface LocalProviderConfig {
  /** Absolute path of the project: the folder of Pulumi.yaml. */
  readonly root: string;
  /** Name of the environment, whose supervisor is driven. */
  readonly environment: string;
}

/** Inputs of `davit:local:Revision`. `bounds` and `autoscaling` change in place; everything else makes another one. */
export interface LocalRevisionInputs extends Revision {
  /** The lock that holds the virtualenv, relative to the project: `endpoints/iris.lock`. */
  readonly lock: string;
  readonly autoscaling: Environment['autoscaling'];
}

/** Inputs of `davit:local:Route`; all of them change in place, in one switch. */
export interface LocalRouteInputs {
  readonly endpoint: string;
  readonly description: string;
  readonly tags: readonly { readonly key: string; readonly value: string }[];
  /** In the order of the endpoint's file. */
  readonly entities: readonly LocalRouteEntity[];
  /** Absent: none, which is also what states of before say. */
  readonly rateLimits?: readonly RateLimit[];
  /** Port on 127.0.0.1 that the environment asks for; absent: a free one, kept. */
  readonly gateway: { readonly port?: number };
}

export interface LocalRouteEntity {
  readonly name: string;
  /** Name of the revision that serves it. */
  readonly revision: string;
  /** 0 to 100; 0: only by its own address. All together 100. */
  readonly trafficPercentage: number;
  /** Absent: too large to be kept, or of a state of before. */
  readonly signature?: Signature;
}
