import { mkdir, realpath, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { Virtualenv } from '../../python/ensure-virtualenv.ts';
import type { Entity } from '../../schemas/endpoint/endpoint.ts';
import { countWorkers } from '../../schemas/endpoint/count-replicas.ts';
import { WORKER_MODES, mayLoadAgain, type WorkerMode, chooseWorkerMode } from '../../schemas/endpoint/worker-mode.ts';
import { codePath } from '../../system/code.ts';
import { makeTemporaryFolder } from '../../system/temporary-folder.ts';
import { type LimitedRun, runLimited } from './run-limited.ts';
import { hasBubblewrap, wrapInSandbox } from './sandbox.ts';

/** The folder of the model server's Python package, which contains `davit_server.prove`. */
export const RUNTIME_FOLDER = codePath('runtime');

const proofDocument = z.looseObject({
  stages: z.array(z.looseObject({ name: z.string(), seconds: z.number() })),
  failed: z
    .looseObject({
      stage: z.string(),
      kind: z.string(),
      message: z.string(),
      module: z.string().nullish(),
      trace: z.string().nullish(),
    })
    .nullable(),
  answer: z.string().nullish(),
  peak_memory_bytes: z.number(),
  load_memory_bytes: z.number().nullish(),
  mlflow: z.string().nullish(),
  /** Null: the model failed before the server chose a worker mode. */
  workers: z.looseObject({ mode: z.enum(WORKER_MODES), found: z.array(z.string()) }).nullish(),
  warnings: z.array(z.looseObject({ category: z.string(), message: z.string() })),
});

/** The output of `davit_server.prove`. */
export type ProofDocument = z.infer<typeof proofDocument>;

export interface ProofRun {
  /** Undefined if the program did not finish. */
  readonly document: ProofDocument | undefined;
  /** The last stage that started. Undefined: no stage started. */
  readonly began: string | undefined;
  readonly run: LimitedRun;
  readonly sandboxed: boolean;
}

/** Limits of one proof. */
export interface ProofLimits {
  readonly loadSeconds: number;
  /** 2 if the workers can load the model again, because the proof then loads a second copy too. */
  readonly loads: 1 | 2;
  readonly predictSeconds: number;
  /** Undefined: no limit, because a GPU driver reserves more memory than it uses. */
  readonly memoryBytes: number | undefined;
}

const OUTPUT_LIMIT_BYTES = 16 << 20;
/** Limited, because OpenBLAS allocates a buffer for each thread, which counts against the memory limit. */
const THREADS = Math.min(4, availableParallelism());
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
    memoryBytes: gibibytes === undefined ? undefined : gibibytes * GIBIBYTE,
  };
}

/** Maximum duration of a whole proof. */
export function computeProofSeconds({ loadSeconds, predictSeconds, loads }: ProofLimits): number {
  return loads * (loadSeconds + predictSeconds);
}

/** Sets the memory limit before the model loads. The kernel enforces it whatever the model does. */
const BOOTSTRAP = `
import resource, runpy, sys
limit = int(sys.argv.pop(1))
if limit: resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
runpy.run_module("davit_server.prove", run_name="__main__", alter_sys=True)
`;

/** Loads a model and predicts its example, in a sandbox if available, and never with Davit's environment variables. */
export async function runProof(
  model: string,
  virtualenv: Virtualenv,
  options: {
    readonly limits: ProofLimits;
    readonly settings: ProofSettings;
    readonly environmentVars: Readonly<Record<string, string>>;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<ProofRun> {
  const { limits, settings, signal } = options;
  const sandboxed = await hasBubblewrap();
  await mkdir(virtualenv.pycache, { recursive: true });
  const temporary = makeTemporaryFolder('proof');
  try {
    const env = { ...options.environmentVars, ...makeProofEnvironment(virtualenv, sandboxed ? '/tmp' : temporary) };
    const { workers, workerMode, nan } = settings;
    const command = [
      ...[virtualenv.python, '-c', BOOTSTRAP, String(limits.memoryBytes ?? 0), '--model', model],
      ...['--workers', String(workers), '--worker-mode', workerMode, '--nan', nan],
    ];
    const base = dirname(dirname(await realpath(virtualenv.python)));
    const folders = { readable: [base, virtualenv.folder, RUNTIME_FOLDER, model], writable: [virtualenv.pycache] };
    const run = await runLimited(sandboxed ? wrapInSandbox(command, env, folders) : command, {
      cwd: temporary,
      env: sandboxed ? { PATH: process.env['PATH'] ?? '' } : env,
      limitSeconds: computeProofSeconds(limits),
      limitBytes: OUTPUT_LIMIT_BYTES,
      signal,
    });
    return { ...parseLines(run.stdout), run, sandboxed };
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

function makeProofEnvironment(virtualenv: Virtualenv, temporary: string): Readonly<Record<string, string>> {
  const threads = ['OMP', 'OPENBLAS', 'MKL', 'NUMEXPR'].map(
    (name) => [`${name}_NUM_THREADS`, String(THREADS)] as const,
  );
  return {
    PATH: `${join(virtualenv.folder, 'bin')}:/usr/local/bin:/usr/bin:/bin`,
    HOME: temporary,
    TMPDIR: temporary,
    LANG: 'C.UTF-8',
    PYTHONPATH: RUNTIME_FOLDER,
    PYTHONPYCACHEPREFIX: virtualenv.pycache,
    PYTHONNOUSERSITE: '1',
    PYTHONUNBUFFERED: '1',
    ...Object.fromEntries(threads),
  };
}

function parseLines(stdout: string): Pick<ProofRun, 'document' | 'began'> {
  const lines = stdout.split('\n').flatMap(parseLine);
  const begun = lines.flatMap((line) => stageBegan.safeParse(line).data?.began ?? []);
  return { document: proofDocument.safeParse(lines.at(-1)).data, began: begun.at(-1) };
}

const stageBegan = z.strictObject({ began: z.string() });

function parseLine(line: string): readonly unknown[] {
  try {
    return [JSON.parse(line)];
  } catch {
    return []; // the incomplete last line of a killed program
  }
}
