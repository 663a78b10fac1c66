import * as pulumi from '@pulumi/pulumi';
import type { Declaration } from './declaration.ts';
import { deploy } from './targets.ts';

/** One endpoint in one environment: its revisions, then the route that shares the traffic out among them. */
export class Endpoint extends pulumi.ComponentResource {
  /** Where queries go. */
  readonly url: pulumi.Output<string>;
  /** Names of the revisions, by entity. */
  readonly revisions: pulumi.Output<Readonly<Record<string, string>>>;

  constructor(name: string, declaration: Declaration, options?: pulumi.ComponentResourceOptions) {
    super('davit:index:Endpoint', name, {}, options);
    const { url, revisions } = deploy(declaration, this);
    this.url = url;
    this.revisions = pulumi.output(revisions);
    this.registerOutputs({ url, revisions });
  }
}
