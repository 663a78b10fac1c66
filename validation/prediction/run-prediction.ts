import { dirname } from 'node:path';
import { z } from 'zod';
import type { UntrustedRun } from '../../sandbox/run-untrusted.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import type { NetworkAddress } from '../../schemas/values/network-address.ts';
import { askedServices, describedFailure, parseDocument } from '../proof/proof-document.ts';
import { type Interpreter, runModelProgram } from '../proof/run-model-program.ts';

export interface PredictionInput {
  /** A file in a folder of its own, because the sandbox shows the whole folder to the model. */
  readonly file: string;
  readonly contentType: 'json' | 'csv';
}

export interface PredictionOptions {
  readonly environmentVars: Readonly<Record<string, string>>;
  /** The services that the model may reach in the sandbox. */
  readonly services: readonly NetworkAddress[];
  /** Undefined: the model runs with the user's own rights. */
  readonly sandbox: Sandbox | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface PredictionRun {
  readonly run: UntrustedRun;
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
  network: askedServices,
  replaced: z.partialRecord(z.enum(NOT_JSON), z.int().min(1)).catch({}),
  peak_memory_bytes: z.int().min(0),
});
export type PredictionDocument = z.infer<typeof predictionDocument>;

/** Loads a model in a fresh process and predicts one input, never with Davit's environment variables. */
export async function runPrediction(
  model: string,
  interpreter: Interpreter,
  input: PredictionInput,
  { environmentVars, services, sandbox, signal }: PredictionOptions,
): Promise<PredictionRun> {
  const run = await runModelProgram({
    ...{ model, interpreter, environmentVars, services, sandbox, signal },
    args: [
      ...['-m', 'davit_server.predict', '--model', model, '--nan', 'null'],
      ...['--input', input.file, '--content-type', input.contentType],
    ],
    data: [dirname(input.file)],
    limits: {
      seconds: PREDICTION_SECONDS,
      outputBytes: ANSWER_BYTES,
      processMemoryBytes: undefined,
      memoryBytes: undefined,
    },
  });
  return { run, sandbox, ...parseOutput(run.stdout) };
}

function parseOutput(stdout: string): Pick<PredictionRun, 'document' | 'began'> {
  const lines = stdout.trimEnd().split('\n');
  const begun = lines.flatMap((line) => /^\{"began": "([a-z]+)"\}$/.exec(line)?.[1] ?? []);
  return { document: predictionDocument.safeParse(parseDocument(stdout)).data, began: begun.at(-1) };
}

function isJson(answer: string): boolean {
  try {
    JSON.parse(answer);
    return true;
  } catch {
    return false;
  }
}
