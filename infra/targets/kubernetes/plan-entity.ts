import type { Entity } from '../../../schemas/endpoint.ts';
import type { Hardware } from '../../../schemas/hardware.ts';
import { configurationName, entityObjectName, knativeRevisionName } from '../../../schemas/kubernetes-names.ts';
import { revisionName } from '../../../schemas/names.ts';
import { replicasOf, workersOf } from '../../../schemas/replicas-of.ts';
import type { Declaration } from '../../declaration.ts';
import type { KubernetesEnvironment } from '../../../schemas/environment.ts';
import { makeTemplate, type RevisionTemplate } from './make-template.ts';

/** What is known of an entity before anything is registered. */
export interface EntityPlan {
  readonly entity: Entity;
  readonly hardware: Hardware;
  /** For a person, and of the Pulumi resources: `iris-2-3f9c2a71d0`. */
  readonly name: string;
  readonly configuration: string;
  readonly revision: string;
  readonly serviceAccount: string;
  /** Replicas, from the units of concurrency; a minimum of 0: it may sleep. */
  readonly replicas: { readonly min: number; readonly max: number };
  readonly template: RevisionTemplate;
}

/** What an entity is made of besides its declaration. */
export interface EntityParts {
  /** `registry/iris:TAG`: what the image is made of. */
  readonly image: string;
  /** Of each Secret that is read: changes when it is written. */
  readonly secretVersions: Readonly<Record<string, string>>;
}

/** Plans the one revision that serves an entity; everything but its bounds is in its name. */
export function planEntity(
  { endpoint, environment }: Declaration<KubernetesEnvironment>,
  entity: Entity,
  parts: EntityParts,
): EntityPlan {
  const hardware = requireHardware(environment, entity);
  const workers = workersOf(entity);
  const serviceAccount = entityObjectName(endpoint.name, entity.name);
  const template = makeTemplate({ endpoint, entity, environment, hardware, workers, serviceAccount, ...parts });
  const configuration = configurationName(endpoint.name, entity.name, template);
  return {
    entity,
    hardware,
    name: revisionName(entity.name, template),
    configuration,
    revision: knativeRevisionName(configuration),
    serviceAccount,
    replicas: replicasOf(entity),
    template,
  };
}

/**
 * Names that the resource of an entity's Configuration had before. A resource that is made anew on the spot is called after
 * its entity, any other after its content too; without these a change of the way would make the new one beside the old one
 * and then delete what is the same object.
 */
export function listAliases(
  { entity, revision, serviceAccount: objects }: EntityPlan,
  { serving, recreate }: { readonly serving: ReadonlySet<string>; readonly recreate: boolean },
): readonly { readonly name: string }[] {
  if (!recreate) return serving.has(revision) ? [{ name: entity.name }] : [];
  const mine = [...serving].filter((r) => r.startsWith(`${objects}-`));
  return mine.map((r) => ({ name: `${entity.name}-${r.split('-').at(-2) ?? ''}` }));
}

/** An endpoint that asks for other hardware has been refused before. */
function requireHardware({ name, hardware }: KubernetesEnvironment, entity: Entity): Hardware {
  const found = hardware[entity.workloadType];
  if (found) return found;
  throw new RangeError(`Cannot find ${entity.workloadType} in the hardware of environment "${name}"`);
}
