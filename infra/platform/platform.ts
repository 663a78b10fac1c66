import * as pulumi from '@pulumi/pulumi';
import type { KubernetesEnvironment } from '../../schemas/environment/environment.ts';
import { KubernetesObject, KubernetesPatch, type ObjectOptions } from '../kubernetes/object-resource.ts';
import { makeProvider } from '../kubernetes/kubernetes-provider.ts';
import { findEdgeAddress } from './find-edge-address.ts';
import type { PreparedKnative } from './knative/prepare-knative.ts';
import { makeAcceptedKey } from './objects/accepted-key.ts';
import { makeAccounts } from './objects/accounts.ts';
import { makeAuthorisation } from './objects/authorisation.ts';
import { makeDeployerRoles } from './objects/deployer-roles.ts';
import { makeEdge } from './objects/edge.ts';
import { makeNamespaces } from './objects/namespaces.ts';
import { makeNetworkPolicies } from './objects/network-policies.ts';
import { makeQuota } from './objects/quota.ts';
import { type PlainManifest, resourceName } from './plain-manifest.ts';

export interface PlatformOptions {
  readonly environment: KubernetesEnvironment;
  /** Absolute path of the project. */
  readonly root: string;
  /** Absolute path of the folder in which providers run. */
  readonly providerFolder: string;
  readonly knative: PreparedKnative;
  /** Image of the authorisation service, by digest. */
  readonly authorisationImage: pulumi.Input<string>;
  /** The public key of marks, once the platform's namespace exists. Undefined: the platform makes no marks. */
  readonly findMarkKey?: (namespaces: readonly pulumi.Resource[]) => pulumi.Output<string>;
}

/** The shared parts of an environment. */
export class Platform extends pulumi.ComponentResource {
  /** Where clients reach the edge. */
  readonly url: pulumi.Output<string | undefined>;
  /** Version of Knative Serving. */
  readonly knative: string;

  constructor(name: string, options: PlatformOptions) {
    super('davit:index:Platform', name);
    const { environment, knative, authorisationImage, findMarkKey } = options;
    const place: ParentOptions = { parent: this, provider: makeProvider(environment, options) };
    // Namespaces may hold Secrets that somebody else made, so they stay when the platform is removed.
    const namespaces = register(makeNamespaces(environment), { ...place, retainOnDelete: true });
    const foundations = registerKnative(knative, place);
    const inside = { ...place, dependsOn: namespaces };
    const accounts = register(makeAccounts(environment), inside);
    register(makeQuota(environment), inside);
    register([...makeNetworkPolicies(environment), ...makeDeployerRoles(environment)], {
      ...place,
      dependsOn: [...namespaces, ...foundations],
    });
    const markKey = findMarkKey?.(namespaces);
    const behind = registerProgram(makeAuthorisation(environment, authorisationImage, markKey), {
      ...place,
      dependsOn: accounts,
    });
    // Envoy is ready once it knows its targets. If it started earlier, it would answer 503 for a while.
    const [service] = registerProgram(makeEdge(environment), { ...place, dependsOn: behind });
    // Revisions expect marks as soon as this exists, so the edge must already make them.
    if (markKey && service) register([makeAcceptedKey(environment, markKey)], { ...place, dependsOn: service });
    this.url = service ? findEdgeAddress(service, environment) : pulumi.output(environment.gateway.url);
    this.knative = knative.version;
    this.registerOutputs({ url: this.url, knative: this.knative });
  }
}

type ParentOptions = Required<Pick<ObjectOptions, 'parent' | 'provider'>>;

/** Registers each step after the one before it is ready. Returns the namespaces, which other objects need first. */
function registerKnative(knative: PreparedKnative, place: ParentOptions): readonly pulumi.Resource[] {
  if (knative.mode === 'adopt') {
    for (const warning of knative.warnings) void pulumi.log.warn(warning);
    for (const patch of knative.patches) new KubernetesPatch(resourceName(patch), patch, place);
    return [];
  }
  const steps: KubernetesObject[][] = [];
  for (const { objects } of knative.steps) steps.push(register(objects, { ...place, dependsOn: steps.at(-1) ?? [] }));
  return steps[0] ?? [];
}

/**
 * Registers the objects that pods need, then the pods, then the Services that send requests to them; returns the
 * Services.
 */
function registerProgram(objects: readonly PlainManifest[], options: ObjectOptions): KubernetesObject[] {
  const isA = (kind: string) => (o: PlainManifest) => o.kind === kind;
  const others = objects.filter((o) => o.kind !== 'Deployment' && o.kind !== 'Service');
  const before = register(others, options);
  const pods = register(objects.filter(isA('Deployment')), {
    ...options,
    dependsOn: mergeDependencies(options, before),
  });
  return register(objects.filter(isA('Service')), { ...options, dependsOn: pods });
}

function register(objects: readonly PlainManifest[], options: ObjectOptions): KubernetesObject[] {
  return objects.map((object) => new KubernetesObject(resourceName(object), object, options));
}

function mergeDependencies(
  { dependsOn }: ObjectOptions,
  more: readonly pulumi.Resource[],
): pulumi.Input<pulumi.Resource>[] {
  const given = Array.isArray(dependsOn) ? (dependsOn as readonly pulumi.Resource[]) : [];
  return [...given, ...more];
}
