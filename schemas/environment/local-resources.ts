import type { Environment } from './environment.ts';
import type { Revision } from '../deployment/revision.ts';
import type { RateLimit } from '../deployment/serving-entry.ts';
import type { Signature } from '../lock/signature.ts';

/** The configuration that the Pulumi program passes to the provider of the local target. */
export interface LocalProviderConfig {
  /** Absolute path of the project, which contains endpoints/. */
  readonly root: string;
  /** Name of the environment whose supervisor the provider controls. */
  readonly environment: string;
}

/**
 * Inputs of `davit:local:Revision`. `bounds` and `autoscaling` change in place; any other change makes a new revision.
 */
export interface LocalRevisionInputs extends Revision {
  /** The lock that defines the virtualenv, relative to the project: `endpoints/iris.lock`. */
  readonly lock: string;
  readonly autoscaling: Environment['autoscaling'];
}

/** Inputs of `davit:local:Route`. All of them change in place, in one step. */
export interface LocalRouteInputs {
  readonly endpoint: string;
  readonly description: string;
  readonly tags: readonly { readonly key: string; readonly value: string }[];
  /** In the order of the endpoint file. */
  readonly entities: readonly LocalRouteEntity[];
  /** Absent: no rate limits. States written by earlier versions have no such field. */
  readonly rateLimits?: readonly RateLimit[];
  /** Port on 127.0.0.1 that the environment sets. Absent: a free port, chosen once and kept. */
  readonly gateway: { readonly port?: number };
}

export interface LocalRouteEntity {
  readonly name: string;
  /** Name of the revision that serves this entity. */
  readonly revision: string;
  /** 0 to 100, 100 in total. 0: clients reach the entity only by its own address. */
  readonly trafficPercentage: number;
  /** Absent: too large to store, or the state is from an earlier version. */
  readonly signature?: Signature;
}
