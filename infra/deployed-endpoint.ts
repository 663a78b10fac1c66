import type * as pulumi from '@pulumi/pulumi';

export interface DeployedEndpoint {
  readonly url: pulumi.Output<string>;
  /** Names of the revisions, by entity. */
  readonly revisions: Readonly<Record<string, pulumi.Output<string>>>;
}

/** Makes an endpoint's resources below `parent`. All queries that it depends on are already done. */
export type DeployEndpoint = (parent: pulumi.Resource) => DeployedEndpoint;
