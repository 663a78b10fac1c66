import * as pulumi from '@pulumi/pulumi';
import type {
  LocalProviderConfig,
  LocalRevisionInputs,
  LocalRouteInputs,
} from '../../../schemas/environment/local-resources.ts';

/** The provider in `local/`, configured for one supervisor. */
export class LocalProvider extends pulumi.ProviderResource {
  constructor(name: string, config: LocalProviderConfig, options?: pulumi.ResourceOptions) {
    super('davit', name, { ...config }, options);
  }
}

/**
 * `davit:local:Revision`: one immutable deployed form of an entity. It is created once it is ready and has predicted.
 */
export class Revision extends pulumi.CustomResource {
  declare readonly name: pulumi.Output<string>;

  constructor(name: string, inputs: LocalRevisionInputs, options: pulumi.CustomResourceOptions) {
    super('davit:local:Revision', name, { ...inputs }, options);
  }
}

/** `davit:local:Route`: which share of an endpoint's traffic goes to which revision. */
export class Route extends pulumi.CustomResource {
  /** The URL for queries, which the provider fills in. */
  declare readonly url: pulumi.Output<string>;

  constructor(name: string, inputs: LocalRouteInputs, options: pulumi.CustomResourceOptions) {
    super('davit:local:Route', name, { ...inputs, url: undefined }, options);
  }
}
