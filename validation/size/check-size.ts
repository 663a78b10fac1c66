import type { Diagnostic } from '../../schemas/diagnostic.ts';
import { renderProduct } from '../../schemas/endpoint/check-workers-memory.ts';
import { countWorkers } from '../../schemas/endpoint/count-replicas.ts';
import type { Entity } from '../../schemas/endpoint/endpoint.ts';
import { isGpu } from '../../schemas/endpoint/workload.ts';
import { DEFAULT_HARDWARE } from '../../schemas/environment/default-hardware.ts';
import type { Environment } from '../../schemas/environment/environment.ts';
import type { Hardware } from '../../schemas/environment/hardware.ts';
import { parseQuantity, renderBytes } from '../../schemas/values/quantity.ts';
import type { Model } from '../model/read-model.ts';
import { makeSubjectError, type Subject } from '../subject.ts';
import { measureModel, type ModelSize } from './measure-model.ts';

/** Of a replica's memory. Python, packages, copies while a file is read, and requests need the rest. */
const LIKELY_SHARE = 2 / 3;

/** Memory that copies of a model must fit into. */
interface Budget {
  /** `a replica of CPU` */
  readonly of: string;
  readonly units: number;
  /** Bytes of each unit. */
  readonly memory: number;
  /** How many copies certainly are in it, and how many there are if the workers cannot share one. */
  readonly certain: number;
  readonly likely: number;
  /** Of the memory, above which the files are too large. */
  readonly share: number;
  /** What makes the budget larger, or the copies fewer. */
  readonly waysOut: string;
}

/** Measures the files of a model and compares them, see checkSize(). */
export async function checkModelSize(
  subject: Subject,
  model: Model,
  environments?: readonly Environment[],
): Promise<readonly Diagnostic[]> {
  return checkSize(subject, await measureModel(model), environments);
}

/**
 * Compares the files of a model with the memory of a replica, before anything is installed. Certainly too large is an
 * error, most likely too large a warning. A card has memory of its own, so a GPU entity is not compared.
 */
export function checkSize(
  subject: Subject,
  size: ModelSize,
  environments: readonly Environment[] = [],
): readonly Diagnostic[] {
  const budgets = isGpu(subject.entity.workloadType) ? [] : listBudgets(subject.entity, environments);
  const errors = budgets.flatMap((budget) => findCertain(subject, size, budget) ?? []);
  return errors.length > 0 ? errors : budgets.flatMap((budget) => findLikely(subject, size, budget) ?? []).slice(0, 1);
}

/** Of Databricks' hardware, which every proof has, and of the environments whose hardware differs. */
function listBudgets(entity: Entity, environments: readonly Environment[]): readonly Budget[] {
  const { workloadType } = entity;
  const usual = DEFAULT_HARDWARE[workloadType];
  const others = environments.flatMap((environment) => {
    const hardware = environment.target === 'kubernetes' ? environment.hardware[workloadType] : undefined;
    if (!hardware || hardware.gpu || (hardware.memory === usual?.memory && hardware.per === usual.per)) return [];
    return [makeReplicaBudget(entity, hardware, ` in environment "${environment.name}"`)];
  });
  if (!usual) return others;
  const replica = makeReplicaBudget(entity, usual, '');
  const proof = { of: `a process of ${workloadType}`, units: 1, certain: 1, likely: 1, share: 1 };
  return [replica, { ...proof, memory: replica.memory, waysOut: 'Choose a larger workload_type' }, ...others];
}

function makeReplicaBudget(entity: Entity, { per, memory }: Pick<Hardware, 'per' | 'memory'>, where: string): Budget {
  const { name, workerMode, workloadType } = entity;
  const workers = countWorkers(entity);
  const certain = workerMode === 'separate' ? workers : 1;
  const likely = workerMode === undefined ? workers : certain;
  const sizes = per === 'replica' && likely > 1 ? 'Choose a larger workload_type, a smaller workload_size' : 'Choose a larger workload_type'; // prettier-ignore
  const modes = likely > 1 ? `, or davit.served_entities.${name}.workers: shared (one copy for all workers) or one (one worker)` : ''; // prettier-ignore
  return {
    of: `a replica of ${workloadType}${where}`,
    units: per === 'unit' ? workers : 1,
    memory: parseQuantity(memory) ?? Infinity,
    ...{ certain, likely, share: LIKELY_SHARE, waysOut: `${sizes}${modes}` },
  };
}

function findCertain(subject: Subject, { whole }: ModelSize, budget: Budget): Diagnostic | undefined {
  const { of, units, memory, certain, waysOut } = budget;
  if (!whole || certain * whole.bytes <= units * memory) return undefined;
  const loads = certain > 1 ? `each of ${certain} workers loads` : 'loading reads';
  const message = `Cannot fit ${subject.label} into the memory of ${of}: ${loads} ${whole.path}, which takes at least ${renderProduct(certain, whole.bytes)}, expected at most ${renderProduct(units, memory)}`;
  return makeSubjectError(subject, 'memory-limit', message, subject.alone ? undefined : waysOut);
}

function findLikely(subject: Subject, { bytes }: ModelSize, budget: Budget): Diagnostic | undefined {
  const { of, units, memory, likely, share, waysOut } = budget;
  if (likely * bytes <= units * memory * share) return undefined;
  const unless = subject.entity.workerMode === undefined ? ', unless they can share one,' : '';
  const copies = likely > 1 ? `a copy for each of ${likely} workers${unless} takes` : 'all of them in memory take';
  const most = share < 1 ? 'two thirds of ' : '';
  const message = `Found ${renderBytes(bytes)} of files in ${subject.label}: ${copies} about ${renderProduct(likely, bytes)}, expected at most ${most}${renderProduct(units, memory)}, the memory of ${of}`;
  const wrong = makeSubjectError(subject, 'memory-limit', message, subject.alone ? undefined : waysOut);
  return { ...wrong, severity: 'warning' };
}
