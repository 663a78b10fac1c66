import type { Virtualenv } from '../../python/ensure-virtualenv.ts';
import type { Entity } from '../../schemas/endpoint/endpoint.ts';
import type { LockedCase } from '../../schemas/lock/locked-case.ts';
import { renderCases } from '../../schemas/lock/render-cases.ts';
import { countWorkers } from '../../schemas/endpoint/count-replicas.ts';
import { mayLoadAgain, type WorkerMode, chooseWorkerMode } from '../../schemas/endpoint/worker-mode.ts';
import type { UntrustedRun } from '../../sandbox/run-untrusted.ts';
import type { NetworkAddress } from '../../schemas/values/network-address.ts';
import {
  type AnswerDocument,
  type InputsFile,
  parseAnswered,
  type PredictedInput,
  withInputsFile,
} from './answer-document.ts';
import { parseProofOutput, type ProofOutput } from './proof-document.ts';
import { runModelProgram } from './run-model-program.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';

export interface ProofRun extends ProofOutput {
  readonly run: UntrustedRun;
  /** The answers to `inputs`. Undefined: there are none, because the workers do not share memory, or for a failure. */
  readonly answered?: AnswerDocument | undefined;
  /** Undefined: the model ran with the user's own rights. */
  readonly sandbox: Sandbox | undefined;
}

/** Limits of one proof. */
export interface ProofLimits {
  readonly loadSeconds: number;
  /** 2 if the workers can load the model again, because the proof then loads a second copy too. */
  readonly loads: 1 | 2;
  /** For one prediction. */
  readonly predictSeconds: number;
  /** How many inputs each loaded copy predicts: all validation cases, or the model's own example. */
  readonly predictions: number;
  /** Undefined: no limit, because a GPU driver reserves more memory than it uses. */
  readonly memoryBytes: number | undefined;
}

const OUTPUT_LIMIT_BYTES = 16 << 20;
export const ANSWERS_LIMIT_BYTES = 32 << 20;
const LOAD_LIMIT_SECONDS = 600;
const GIBIBYTE = 1 << 30;
/** Memory of Databricks' workload types. */
const MEMORY_GIBIBYTES: Partial<Record<Entity['workloadType'], number>> = { CPU: 4, CPU_MEDIUM: 8, CPU_LARGE: 16 };

/** The model server's settings for an entity. A proof uses the same settings. */
export interface ProofSettings {
  readonly workers: number;
  readonly workerMode: WorkerMode | 'found';
  readonly nan: Entity['nan'];
}

export function makeProofSettings(entity: Entity): ProofSettings {
  return { workers: countWorkers(entity), workerMode: chooseWorkerMode(entity), nan: entity.nan };
}

/** The limits for the proof of an entity. */
export function makeProofLimits(entity: Entity): ProofLimits {
  const { workloadType, timeLimitSeconds } = entity;
  const gibibytes = MEMORY_GIBIBYTES[workloadType];
  return {
    loadSeconds: LOAD_LIMIT_SECONDS,
    loads: mayLoadAgain(chooseWorkerMode(entity), countWorkers(entity)) ? 2 : 1,
    predictSeconds: timeLimitSeconds,
    predictions: Math.max(1, entity.validation.length),
    memoryBytes: gibibytes === undefined ? undefined : gibibytes * GIBIBYTE,
  };
}

/** Maximum duration of a whole proof. */
export function computeProofSeconds({ loadSeconds, predictSeconds, predictions, loads }: ProofLimits): number {
  return loads * (loadSeconds + predictions * predictSeconds);
}

/** Sets the memory limit before the model loads, because without a sandbox nothing else sets it for each process. */
const BOOTSTRAP = `
import resource, runpy, sys
limit = int(sys.argv.pop(1))
if limit: resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
runpy.run_module("davit_server.prove", run_name="__main__", alter_sys=True)
`;

export interface ProofOptions {
  readonly limits: ProofLimits;
  readonly settings: ProofSettings;
  readonly environmentVars: Readonly<Record<string, string>>;
  /** The validation cases of the endpoint file. Empty: the model predicts its own example. */
  readonly cases: readonly LockedCase[];
  /** The services that it may reach. */
  readonly services: readonly NetworkAddress[];
  /** What the model predicts once its proof is complete, for a comparison. Empty: nothing more. */
  readonly inputs: readonly PredictedInput[];
  /** Undefined: the model runs with the user's own rights. */
  readonly sandbox: Sandbox | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Loads a model and predicts its example, never with Davit's environment variables. */
export async function runProof(model: string, virtualenv: Virtualenv, options: ProofOptions): Promise<ProofRun> {
  const { inputs } = options;
  if (inputs.length === 0) return runProgram(model, virtualenv, options);
  return withInputsFile(inputs, async (given) => {
    const ran = await runProgram(model, virtualenv, options, given);
    return { ...ran, answered: parseAnswered(ran.run.stdout) };
  });
}

async function runProgram(
  model: string,
  virtualenv: Virtualenv,
  { limits, settings, cases, services, inputs, environmentVars, sandbox, signal }: ProofOptions,
  given?: InputsFile,
): Promise<ProofRun> {
  const { workers, workerMode, nan } = settings;
  const run = await runModelProgram({
    ...{ model, interpreter: virtualenv, environmentVars, services, sandbox, signal },
    args: [
      ...['-c', BOOTSTRAP, String(limits.memoryBytes ?? 0), '--model', model],
      ...['--workers', String(workers), '--worker-mode', workerMode, '--nan', nan],
      ...(cases.length > 0 ? ['--cases', renderCases(cases)] : []),
      ...(given ? ['--inputs', given.file] : []),
    ],
    ...(given && { data: [given.folder] }),
    limits: {
      seconds: computeProofSeconds(limits) + inputs.length * limits.predictSeconds,
      outputBytes: OUTPUT_LIMIT_BYTES + (given ? ANSWERS_LIMIT_BYTES : 0),
      processMemoryBytes: limits.memoryBytes,
      memoryBytes: limits.memoryBytes === undefined ? undefined : limits.memoryBytes * limits.loads,
    },
  });
  return { ...parseProofOutput(run.stdout), run, sandbox };
}
