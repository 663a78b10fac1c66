import * as pulumi from '@pulumi/pulumi';
import type { KubernetesEnvironment } from '../../../schemas/environment/environment.ts';
import { makeServingEntry } from '../../../schemas/deployment/make-serving-entry.ts';
import type { Declaration } from '../../declaration.ts';
import { KubernetesObject, KubernetesPatch } from '../../kubernetes/object-resource.ts';
import { makeProvider } from '../../kubernetes/kubernetes-provider.ts';
import type { DeployedEndpoint } from '../../deployed-endpoint.ts';
import { drainOldRevisions } from './drain-old-revisions.ts';
import { Gate } from './gate.ts';
import * as make from './make-objects.ts';
import { type EntityPlan, listAliases } from './plan-entity.ts';
import { Pause } from './pause.ts';
import type { PreparedEntity, PreparedKubernetes } from './prepare-kubernetes.ts';
import { type VerifiedEntity, verifyThroughEdge } from './verify-through-edge.ts';

/** How long Kourier may take to apply a new Route everywhere. */
const ROUTE_LIMIT = '3m';

/**
 * Deploys the revisions first. The Route names them in one write, once every one of them is proven. A query through the
 * edge follows, and the requests that wait for old revisions are answered. Only then are these deleted; that is the
 * engine's own order for a resource that is no longer in the program.
 */
export function deployToKubernetes(
  declaration: Declaration<KubernetesEnvironment>,
  { api, entities, serving, mark, run }: PreparedKubernetes,
  parent: pulumi.Resource,
): DeployedEndpoint {
  const { root, endpoint, environment, lock } = declaration;
  const { namespace } = environment;
  const place = { endpoint: endpoint.name, environment };
  const options = { parent, provider: makeProvider(environment, { root, providerFolder: run.providerFolder }) };
  const gate = new Gate({ api, serving, namespace, endpoint: endpoint.name, mark, signal: run.signal });
  const recreate = endpoint.rollout === 'recreate';
  const pause = new Pause({ api, serving, namespace: environment.namespace, endpoint: endpoint.name, recreate });
  const made = entities.map((e) => deployEntity(e, { place, options, gate, serving, recreate, pause }));
  const proven = pulumi.all(made.map((m) => m.proven));
  const shares = Object.fromEntries(endpoint.routes.map((r) => [r.entity, r.percentage]));
  const plans = entities.map(({ plan }) => plan);
  const route = new KubernetesObject(
    endpoint.name,
    make.makeRoute(place, plans, { shares, revisions: plans.map((_, i) => proven.apply((names) => names[i] ?? '')) }),
    {
      ...options,
      dependsOn: made.map((m) => m.last),
      customTimeouts: { create: ROUTE_LIMIT, update: ROUTE_LIMIT },
    },
  );
  const revisions = Object.fromEntries(plans.map(({ entity, revision }) => [entity.name, revision]));
  const entry = new KubernetesObject(
    `${endpoint.name}-entry`,
    make.makeEntryConfigMap(place, make.renderEntry(makeServingEntry(endpoint, { lock, revisions, namespace }))),
    { ...options, dependsOn: route },
  );
  const url = verifyThroughEdge({
    api,
    declaration,
    queries: listVerifiedEntities(plans, serving),
    after: pause.endAfter([route, entry]),
    signal: run.signal,
  });
  return {
    url: drainOldRevisions({ api, namespace, endpoint: endpoint.name, plans, signal: run.signal, after: url }),
    revisions: Object.fromEntries(plans.map(({ entity, name }) => [entity.name, pulumi.output(name)])),
  };
}

/** Leaves out an entity that served before and may be at zero replicas, because a query would only wake it. */
function listVerifiedEntities(plans: readonly EntityPlan[], serving: ReadonlySet<string>): readonly VerifiedEntity[] {
  return plans
    .filter((p) => p.replicas.min > 0 || !serving.has(p.revision))
    .map(({ entity, revision }) => ({ entity, revision, servedBefore: serving.has(revision) }));
}

interface EntityContext {
  readonly place: make.ObjectScope;
  readonly options: pulumi.CustomResourceOptions;
  readonly gate: Gate;
  readonly serving: ReadonlySet<string>;
  readonly recreate: boolean;
  readonly pause: Pause;
}

function deployEntity(
  { plan, image }: PreparedEntity,
  { place, options, gate, serving, recreate, pause }: EntityContext,
) {
  const label = plan.entity.name;
  const account = new KubernetesObject(`${label}-account`, make.makeServiceAccount(place, plan), options);
  const budget = new KubernetesObject(`${label}-budget`, make.makeDisruptionBudget(place, plan), options);
  const configuration = new KubernetesObject(
    recreate ? label : plan.name,
    make.makeConfiguration(place, plan, pause.before(plan, image ?? pulumi.output(pulumi.unknown))),
    {
      ...options,
      dependsOn: [account, budget],
      aliases: [...listAliases(plan, { serving, recreate })],
      // Nothing else runs beside it, so the old revision must first release the hardware.
      ...(recreate && { replaceOnChanges: ['spec'], deleteBeforeReplace: true }),
    },
  );
  const there = gate.exists(configuration, plan);
  const bounds = new KubernetesPatch(`${plan.name}-bounds`, make.makeBounds(place, plan, there), {
    ...options,
    dependsOn: configuration,
  });
  return { last: bounds, proven: gate.prove([configuration, bounds], plan) };
}
