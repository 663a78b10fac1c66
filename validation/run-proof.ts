import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { Virtualenv } from '../python/ensure-virtualenv.ts';
import type { Entity } from '../schemas/endpoint.ts';
import { codePath } from '../system/code.ts';
import { type LimitedRun, runLimited } from './run-limited.ts';
import { hasBubblewrap, wrapInSandbox } from './sandbox.ts';

/** The model server's Python package, of which `davit_server.prove` is a part. */
export const RUNTIME = codePath('runtime');

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
  warnings: z.array(z.looseObject({ category: z.string(), message: z.string() })),
});

/** What `davit_server.prove` writes. */
export type ProofDocument = z.infer<typeof proofDocument>;

export interface ProofRun {
  /** Undefined when the program did not come to its end. */
  readonly document: ProofDocument | undefined;
  /** The stage that it began last; undefined: it did not come so far. */
  readonly began: string | undefined;
  readonly run: LimitedRun;
  readonly sandboxed: boolean;
}

/** Limits of one proof. */
export interface ProofLimits {
  readonly loadSeconds: number;
  readonly predictSeconds: number;
  /** Undefined: as much as there is (a GPU's driver reserves more than it uses). */
  readonly memoryBytes: number | undefined;
}

const OUTPUT_LIMIT_BYTES = 16 << 20;
/** More would only cost memory: OpenBLAS holds a buffer for each, which counts against the limit. */
const THREADS = Math.min(4, availableParallelism());
const LOAD_LIMIT_SECONDS = 600;
const GIBIBYTE = 1 << 30;
/** Memory of Databricks' workload types. */
const MEMORY_GIBIBYTES: Partial<Record<Entity['workloadType'], number>> = { CPU: 4, CPU_MEDIUM: 8, CPU_LARGE: 16 };

/** The limits under which an entity is proved. */
export function proofLimits({ workloadType, timeLimitSeconds }: Entity): ProofLimits {
  const gibibytes = MEMORY_GIBIBYTES[workloadType];
  return {
    loadSeconds: LOAD_LIMIT_SECONDS,
    predictSeconds: timeLimitSeconds,
    memoryBytes: gibibytes === undefined ? undefined : gibibytes * GIBIBYTE,
  };
}

/** Sets the limit inside the process, before the model: the kernel keeps it, whatever the model does. */
const BOOTSTRAP = `
import resource, runpy, sys
limit = int(sys.argv.pop(1))
if limit: resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
runpy.run_module("davit_server.prove", run_name="__main__", alter_sys=True)
`;

/** Loads a model in its virtualenv and predicts its example: sandboxed where that works, always without our environment. */
export async function runProof(
  model: string,
  virtualenv: Virtualenv,
  options: {
    readonly limits: ProofLimits;
    readonly environmentVars: Readonly<Record<string, string>>;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<ProofRun> {
  const { limits, signal } = options;
  const sandboxed = await hasBubblewrap();
  await mkdir(virtualenv.pycache, { recursive: true });
  const temporary = await mkdtemp(join(tmpdir(), 'davit-proof-'));
  try {
    const env = { ...options.environmentVars, ...proofEnvironment(virtualenv, sandboxed ? '/tmp' : temporary) };
    const command = [virtualenv.python, '-c', BOOTSTRAP, String(limits.memoryBytes ?? 0), '--model', model];
    const base = dirname(dirname(await realpath(virtualenv.python)));
    const folders = { readable: [base, virtualenv.folder, RUNTIME, model], writable: [virtualenv.pycache] };
    const run = await runLimited(sandboxed ? wrapInSandbox(command, env, folders) : command, {
      cwd: temporary,
      env: sandboxed ? { PATH: process.env['PATH'] ?? '' } : env,
      limitSeconds: limits.loadSeconds + limits.predictSeconds,
      limitBytes: OUTPUT_LIMIT_BYTES,
      signal,
    });
    return { ...parseLines(run.stdout), run, sandboxed };
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

function proofEnvironment(virtualenv: Virtualenv, temporary: string): Readonly<Record<string, string>> {
  const threads = ['OMP', 'OPENBLAS', 'MKL', 'NUMEXPR'].map(
    (name) => [`${name}_NUM_THREADS`, String(THREADS)] as const,
  );
  return {
    PATH: `${join(virtualenv.folder, 'bin')}:/usr/local/bin:/usr/bin:/bin`,
    HOME: temporary,
    TMPDIR: temporary,
    LANG: 'C.UTF-8',
    PYTHONPATH: RUNTIME,
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
    return []; // the last line of a program that was ended while it wrote
  }
}
