import type { LockedPackage } from '../../schemas/lock/lock.ts';
import type { Requirement } from './parse-requirements.ts';

import type { WheelMetadata } from './read-wheel.ts';

/** The requirements of one virtualenv to resolve. */
export interface ResolutionRequest {
  readonly requirements: readonly Requirement[];
  readonly constraints: readonly Requirement[];
  /** Minor version: `3.11`. */
  readonly python: string;
  /** In uv's notation: `x86_64-manylinux_2_28`. */
  readonly platform: string;
  /** Base folder of the model's wheels. */
  readonly modelFolder: string;
  /** Pins to keep if they still satisfy the requirements. Undefined: resolve the newest versions from the index. */
  readonly preferences: readonly LockedPackage[] | undefined;
  /** The versions that saved the model, by package: the first to take, and to suggest. Absent: none is known. */
  readonly saved?: ReadonlyMap<string, string>;
  /** Packages to take as source distributions, and what the wheel of each requires. Absent: none. */
  readonly built?: readonly WheelMetadata[];
}
