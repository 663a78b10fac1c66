import * as pulumi from '@pulumi/pulumi';
import type { DeployEndpoint } from './deployed-endpoint.ts';

/** One endpoint in one environment: its revisions, then the route that splits the traffic among them. */
export class Endpoint extends pulumi.ComponentResource {
  /** The URL for queries. */
  readonly url: pulumi.Output<string>;
  /** Names of the revisions, by entity. */
  readonly revisions: pulumi.Output<Readonly<Record<string, string>>>;

  constructor(name: string, deploy: DeployEndpoint, options?: pulumi.ComponentResourceOptions) {
    super('davit:index:Endpoint', name, {}, options);
    const { url, revisions } = deploy(this);
    this.url = url;
    this.revisions = pulumi.output(revisions);
    this.registerOutputs({ url, revisions });
  }
}
