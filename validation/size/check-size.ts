import type { Diagnostic } from '../../schemas/diagnostic.ts';
import { renderProduct } from '../../schemas/endpoint/check-workers-memory.ts';
import { countWorkers } from '../../schemas/endpoint/count-replicas.ts';
import type { Entity } from '../../schemas/endpoint/endpoint.ts';
import { isGpu, WORKLOAD_TYPES, type WorkloadType } from '../../schemas/endpoint/workload.ts';
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
  /** What makes the budget larger, or the copies fewer, for a copy of so many bytes. */
  readonly findWays: (bytes: number) => string;
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
  // The process of the proof and a replica of one worker have the same memory, so one error is enough.
  if (errors.length > 0)
    return [...new Map(errors.map((d) => [d.message.replace(/a (?:replica|process) of/, ''), d])).values()];
  return budgets.flatMap((budget) => findLikely(subject, size, budget) ?? []).slice(0, 1);
}

/** Of Databricks' hardware, which every proof has, and of the environments whose hardware differs. */
function listBudgets(entity: Entity, environments: readonly Environment[]): readonly Budget[] {
  const { workloadType } = entity;
  const usual = DEFAULT_HARDWARE[workloadType];
  const others = environments.flatMap((environment) => {
    const hardware = environment.target === 'kubernetes' ? environment.hardware[workloadType] : undefined;
    if (!hardware || hardware.gpu || (hardware.memory === usual?.memory && hardware.per === usual.per)) return [];
    return [makeReplicaBudget(entity, hardware, environment.name)];
  });
  if (!usual) return others;
  const replica = makeReplicaBudget(entity, usual, undefined);
  const proof = { of: `a process of ${workloadType}`, units: 1, certain: 1, likely: 1, share: 1 };
  return [
    replica,
    { ...proof, memory: replica.memory, findWays: (bytes: number) => renderWays([renderLargerType(entity, bytes)]) },
    ...others,
  ];
}

function makeReplicaBudget(
  entity: Entity,
  { per, memory }: Pick<Hardware, 'per' | 'memory'>,
  environment: string | undefined,
): Budget {
  const { name, workerMode, workloadType } = entity;
  const workers = countWorkers(entity);
  const certain = workerMode === 'separate' ? workers : 1;
  const likely = workerMode === undefined ? workers : certain;
  const units = per === 'unit' ? workers : 1;
  const unit = parseQuantity(memory) ?? Infinity;
  // The proof loads the model in one process.
  const proof = parseQuantity(DEFAULT_HARDWARE[workloadType]?.memory ?? memory) ?? Infinity;
  const modes = (bytes: number) =>
    [
      ...(workerMode !== 'shared' && bytes <= Math.min(units * unit * LIKELY_SHARE, proof)
        ? ['shared (one copy for all workers)']
        : []),
      ...(bytes <= unit * LIKELY_SHARE ? ['one (one worker)'] : []),
    ].join(' or ');
  const findWays = (bytes: number) =>
    renderWays([
      environment === undefined ? renderLargerType(entity, bytes) : undefined,
      environment === undefined
        ? undefined
        : `raise hardware.${workloadType}.memory in environments/${environment}.yaml`,
      per === 'replica' && likely > 1 ? 'choose a smaller workload_size' : undefined,
      likely > 1 && modes(bytes) !== '' ? `set davit.served_entities.${name}.workers: ${modes(bytes)}` : undefined,
    ]);
  const where = environment === undefined ? '' : ` in environment "${environment}"`;
  return {
    of: `a replica of ${workloadType}${where}`,
    units,
    memory: unit,
    certain,
    likely,
    share: LIKELY_SHARE,
    findWays,
  };
}

/** Larger CPU types, of which Databricks' default hardware says the memory of a unit. */
function renderLargerType({ workloadType }: Entity, bytes: number): string | undefined {
  const memoryOf = (type: WorkloadType) => parseQuantity(DEFAULT_HARDWARE[type]?.memory ?? '') ?? 0;
  const larger = WORKLOAD_TYPES.filter((type) => !isGpu(type) && memoryOf(type) > memoryOf(workloadType));
  const fitting = larger.filter((type) => bytes <= memoryOf(type) * LIKELY_SHARE);
  const named = fitting.length > 0 ? fitting : larger;
  return named.length === 0 ? undefined : `choose a larger workload_type (${named.join(', ')})`;
}

function renderWays(ways: readonly (string | undefined)[]): string {
  const text = ways.filter((way) => way !== undefined).join(', or ');
  return text === '' ? NO_WAY : text.replace(/^./, (first) => first.toUpperCase());
}

const NO_WAY = 'There is no larger CPU type: save a smaller model, or serve it with a GPU type';
const ALONE_HINT =
  'A standalone model is proved in 4 GiB. Save a smaller model, or serve it from an endpoint file with a larger workload_type';

/** The product, with enough digits to differ from the limit that it exceeds. */
function renderAbove(count: number, bytes: number, limit: number): string {
  if (renderBytes(count * bytes) !== renderBytes(limit)) return renderProduct(count, bytes);
  return count === 1 ? `${bytes} bytes` : `${count} × ${bytes} = ${count * bytes} bytes`;
}

function findCertain(subject: Subject, { whole }: ModelSize, budget: Budget): Diagnostic | undefined {
  const { of, units, memory, certain, findWays } = budget;
  if (!whole || certain * whole.bytes <= units * memory) return undefined;
  const loads = certain > 1 ? `each of ${certain} workers loads` : 'loading reads';
  const message = `Cannot fit ${subject.label} into the memory of ${of}: ${loads} ${whole.path}, which takes at least ${renderAbove(certain, whole.bytes, units * memory)}, expected at most ${renderProduct(units, memory)}`;
  return makeSubjectError(subject, 'memory-limit', message, subject.alone ? ALONE_HINT : findWays(whole.bytes));
}

function findLikely(subject: Subject, { bytes }: ModelSize, budget: Budget): Diagnostic | undefined {
  const { of, units, memory, likely, share, findWays } = budget;
  if (likely * bytes <= units * memory * share) return undefined;
  const unless = subject.entity.workerMode === undefined ? ', unless they can share one,' : '';
  const copies = likely > 1 ? `a copy for each of ${likely} workers${unless} takes` : 'all of them in memory take';
  const most = share < 1 ? 'two thirds of ' : '';
  const message = `Found ${renderBytes(bytes)} of files in ${subject.label}: ${copies} about ${renderProduct(likely, bytes)}, expected at most ${most}${renderProduct(units, memory)}, the memory of ${of}`;
  const wrong = makeSubjectError(subject, 'memory-limit', message, subject.alone ? ALONE_HINT : findWays(bytes));
  return { ...wrong, severity: 'warning' };
}
