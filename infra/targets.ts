import type * as pulumi from '@pulumi/pulumi';
import type { Environment } from '../schemas/environment.ts';
import type { Declaration } from './declaration.ts';
import { deployLocally } from './targets/local/deploy-locally.ts';

/** Makes an endpoint's resources, below `parent`. */
export type Deploy = (declaration: Declaration, parent: pulumi.Resource) => Deployed;

export interface Deployed {
  readonly url: pulumi.Output<string>;
  /** Names of the revisions, by entity. */
  readonly revisions: Readonly<Record<string, pulumi.Output<string>>>;
}

/** What an environment's `target` means. */
export const TARGETS: Readonly<Record<Environment['target'], Deploy>> = {
  local: deployLocally,
};
