import type { Entity } from '../../../schemas/endpoint/endpoint.ts';
import type { Hardware } from '../../../schemas/environment/hardware.ts';
import {
  configurationName,
  entityObjectName,
  knativeRevisionName,
} from '../../../schemas/environment/kubernetes-names.ts';
import { revisionName } from '../../../schemas/values/names.ts';
import { countReplicas, countWorkers } from '../../../schemas/endpoint/count-replicas.ts';
import { readOwn } from '../../../schemas/values/read-own.ts';
import type { Declaration } from '../../declaration.ts';
import type { KubernetesEnvironment } from '../../../schemas/environment/environment.ts';
import { makeTemplate, type RevisionTemplate } from './make-template.ts';

/** The plan of an entity, made before any resource is registered. */
export interface EntityPlan {
  readonly entity: Entity;
  readonly hardware: Hardware;
  /** The name for people and for the Pulumi resources: `iris-2-3f9c2a71d0`. */
  readonly name: string;
  readonly configuration: string;
  readonly revision: string;
  readonly serviceAccount: string;
  /** Bounds of the replicas, from the concurrency; a minimum of 0: it may scale to zero. */
  readonly replicas: { readonly min: number; readonly max: number };
  readonly template: RevisionTemplate;
}

/** The inputs of an entity besides its declaration. */
export interface EntityInputs {
  /** `registry/iris:TAG`; the tag identifies the content of the image. */
  readonly image: string;
  /** For each Secret that is read: a version that changes when it is written. */
  readonly secretVersions: Readonly<Record<string, string>>;
  /** The public key of the marks that requests must have; undefined: the platform makes none. */
  readonly markKey?: string | undefined;
}

/** Plans the one revision that serves an entity. Its name covers everything but its bounds. */
export function planEntity(
  { endpoint, environment, lock }: Declaration<KubernetesEnvironment>,
  entity: Entity,
  parts: EntityInputs,
): EntityPlan {
  const workers = countWorkers(entity);
  const hardware = extendDeadlineForLoads(requireHardware(environment, entity), entity, workers);
  const serviceAccount = entityObjectName(endpoint.name, entity.name);
  const cases = readOwn(lock.entities, entity.name)?.validation ?? [];
  const template = makeTemplate({ endpoint, entity, environment, hardware, workers, serviceAccount, cases, ...parts });
  const configuration = configurationName(endpoint.name, entity.name, template);
  return {
    entity,
    hardware,
    name: revisionName(entity.name, template),
    configuration,
    revision: knativeRevisionName(configuration),
    serviceAccount,
    replicas: countReplicas(entity),
    template,
  };
}

/**
 * Earlier names of the resource of an entity's Configuration. A resource that is recreated in place has the entity's
 * name; any other one also has its content in the name. Without these aliases, a change of the rollout would create the
 * new resource beside the old one and then delete the same object.
 */
export function listAliases(
  { entity, revision, serviceAccount: objects }: EntityPlan,
  { serving, recreate }: { readonly serving: ReadonlySet<string>; readonly recreate: boolean },
): readonly { readonly name: string }[] {
  if (!recreate) return serving.has(revision) ? [{ name: entity.name }] : [];
  const mine = [...serving].filter((r) => r.startsWith(`${objects}-`));
  return mine.map((r) => ({ name: `${entity.name}-${r.split('-').at(-2) ?? ''}` }));
}

/** Workers that each load the model may take that many times longer on a full node. */
function extendDeadlineForLoads(hardware: Hardware, { workerMode }: Entity, workers: number): Hardware {
  if (workerMode !== 'separate') return hardware;
  return { ...hardware, deploymentSeconds: hardware.deploymentSeconds * workers };
}

/** An endpoint that asks for unknown hardware was refused earlier. */
function requireHardware({ name, hardware }: KubernetesEnvironment, entity: Entity): Hardware {
  const found = hardware[entity.workloadType];
  if (found) return found;
  throw new RangeError(`Cannot find ${entity.workloadType} in the hardware of environment "${name}"`);
}
