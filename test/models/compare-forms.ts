import { join } from 'node:path';
import { makeChildEnvironment, runProcess } from '../../system/run-process.ts';
import { RUNTIME } from '../runtime/start-server.ts';

/** One form of request, sent to Davit's scoring and to MLflow's. */
export interface ComparedForm {
  readonly form: string;
  /** Davit's status. */
  readonly status: number;
  /** Both answers, where they differ. */
  readonly difference: string | null;
  /** The name of the decision (differences.py) that the difference follows from. */
  readonly decision: string | null;
}

const LIMIT_SECONDS = 3600;

/** Compares all forms for models that share a virtualenv. Returns the forms of each, or why it could not be compared. */
export async function compareForms(
  python: string,
  folders: readonly string[],
): Promise<ReadonlyMap<string, readonly ComparedForm[] | string>> {
  const env = makeChildEnvironment({
    ...{ PYTHONPATH: RUNTIME, PYTHONDONTWRITEBYTECODE: '1', PYTHONWARNINGS: 'ignore', OMP_NUM_THREADS: '1' },
    ...{ MLFLOW_DISABLE_TELEMETRY: 'true', HF_HUB_OFFLINE: '1' },
  });
  const program = [join(import.meta.dirname, 'compare.py'), ...folders];
  const { code, stdout, stderr } = await runProcess(python, program, { env, limitSeconds: LIMIT_SECONDS });
  if (code !== 0) throw new Error(`Cannot compare ${folders.join(', ')}\n${stderr.slice(-2000)}`);
  const lines = stdout.split('\n').filter((line) => line.startsWith('{"model"'));
  return new Map(lines.map((line) => parseLine(JSON.parse(line) as Line)));
}

interface Line {
  readonly model: string;
  readonly forms?: readonly ComparedForm[];
  readonly error?: string;
}

function parseLine({ model, forms, error }: Line): readonly [string, readonly ComparedForm[] | string] {
  return [model, forms ?? error ?? ''];
}
