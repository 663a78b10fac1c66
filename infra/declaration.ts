import type { Endpoint } from '../schemas/endpoint/endpoint.ts';
import type { Environment } from '../schemas/environment/environment.ts';
import type { Lock } from '../schemas/lock/lock.ts';

/** Everything that a stack is made from, as reviewed. */
export interface Declaration<E extends Environment = Environment> {
  /** Absolute path of the project. */
  readonly root: string;
  readonly endpoint: Endpoint;
  readonly environment: E;
  readonly lock: Lock;
  /** The lock's file, relative to `root`: `endpoints/iris.lock`. */
  readonly lockFile: string;
}
