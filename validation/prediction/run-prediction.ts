import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { ByteCodeCompiler } from '../../python/compile-byte-code.ts';
import type { Virtualenv } from '../../python/ensure-virtualenv.ts';
import { findBasePython } from '../../python/find-base-python.ts';
import { makeReadable } from '../../python/make-readable.ts';
import type { LimitedRun } from '../../sandbox/run-limited.ts';
import { runUntrusted } from '../../sandbox/run-untrusted.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import { listIgnoredFiles } from '../../system/model-digest.ts';
import { describedFailure, parseImported } from '../proof/proof-document.ts';
import { makePythonEnvironment, RUNTIME_FOLDER } from '../proof/run-proof.ts';

/** A Python that runs a model: the locked virtualenv, or one that Davit did not make and does not write to. */
export type Interpreter = Virtualenv | { readonly python: string; readonly pythonVersion: string };

export interface PredictionInput {
  /** A file in a folder of its own, because the sandbox shows the whole folder to the model. */
  readonly file: string;
  readonly contentType: 'json' | 'csv';
}

export interface PredictionOptions {
  readonly environmentVars: Readonly<Record<string, string>>;
  /** Undefined: the model runs with the user's own rights. */
  readonly sandbox: Sandbox | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface PredictionRun {
  readonly run: LimitedRun;
  readonly sandbox: Sandbox | undefined;
  /** Undefined if the program did not finish. */
  readonly document: PredictionDocument | undefined;
  /** The last stage that started. */
  readonly began: string | undefined;
}

/** The time for loading and predicting together. A table of millions of rows takes long. */
export const PREDICTION_SECONDS = 3600;
/** A text in V8 has at most 512 MiB. */
export const ANSWER_BYTES = 256 << 20;

const text = (characters: number) => z.string().transform((t) => t.slice(0, characters));

const NOT_JSON = ['NaN', 'Infinity', '-Infinity'] as const;

/** How many numbers of an answer are null because they are not JSON. */
export type ReplacedNumbers = Readonly<Partial<Record<(typeof NOT_JSON)[number], number>>>;

/** What `davit_server.predict` writes. A model can write anything in its place. */
const predictionDocument = z.looseObject({
  stages: z.array(z.object({ name: text(40), seconds: z.number().min(0) })).max(20),
  failed: describedFailure.nullable(),
  refused: text(4000).nullable(),
  mlflow: text(100).nullable(),
  answer: z.string().refine(isJson).nullable(),
  replaced: z.partialRecord(z.enum(NOT_JSON), z.int().min(1)).catch({}),
  peak_memory_bytes: z.int().min(0),
});
export type PredictionDocument = z.infer<typeof predictionDocument>;

/** Loads a model in a fresh process and predicts one input, never with Davit's environment variables. */
export async function runPrediction(
  model: string,
  interpreter: Interpreter,
  input: PredictionInput,
  { environmentVars, sandbox, signal }: PredictionOptions,
): Promise<PredictionRun> {
  const base = await findBasePython(interpreter.python);
  const own = 'folder' in interpreter ? interpreter : undefined;
  const compiler = own && new ByteCodeCompiler(own, base, [RUNTIME_FOLDER]);
  if (own) {
    await mkdir(own.pycache, { recursive: true });
    await makeReadable(own.pycache);
  }
  const folder = own?.folder ?? dirname(dirname(interpreter.python));
  const ours = makePythonEnvironment(own ?? { ...interpreter, folder, pycache: '', key: '' });
  const run = await runUntrusted(
    {
      command: [
        ...[interpreter.python, '-m', 'davit_server.predict', '--model', model, '--nan', 'null'],
        ...['--input', input.file, '--content-type', input.contentType],
      ],
      // Only Davit's virtualenvs have their byte code in a folder of its own.
      env: { ...environmentVars, ...Object.fromEntries(Object.entries(ours).filter(([, value]) => value !== '')) },
      path: [join(folder, 'bin')],
      readable: [...base.folders, ...(own ? [folder] : listVirtualenvFolders(folder))],
      data: [RUNTIME_FOLDER, model, dirname(input.file)],
      hidden: await listIgnoredFiles(model),
      limits: {
        seconds: PREDICTION_SECONDS,
        outputBytes: ANSWER_BYTES,
        processMemoryBytes: undefined,
        memoryBytes: undefined,
      },
      signal,
      onLine: (line) => compiler?.add(parseImported(line)),
    },
    sandbox,
  );
  await compiler?.end();
  return { run, sandbox, ...parseOutput(run.stdout) };
}

/** What a virtualenv of the user consists of, and not what may be beside it: a project often has the name of its folder. */
export function listVirtualenvFolders(folder: string): readonly string[] {
  return ['bin', 'lib', 'lib64', 'pyvenv.cfg'].map((name) => join(folder, name)).filter((path) => existsSync(path));
}

function parseOutput(stdout: string): Pick<PredictionRun, 'document' | 'began'> {
  const lines = stdout.trimEnd().split('\n');
  const begun = lines.flatMap((line) => /^\{"began": "([a-z]+)"\}$/.exec(line)?.[1] ?? []);
  return { document: predictionDocument.safeParse(parseJson(lines.at(-1) ?? '')).data, began: begun.at(-1) };
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined; // the incomplete last line of a killed program
  }
}

function isJson(answer: string): boolean {
  return parseJson(answer) !== undefined;
}
