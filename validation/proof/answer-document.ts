import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { makeTemporaryFolder } from '../../system/temporary-folder.ts';
import { describedFailure, isAnsweredLine, parseJsonLine } from './proof-document.ts';

/** A request that a version predicts for a comparison. */
export interface PredictedInput {
  readonly kind: 'json' | 'csv';
  readonly body: string;
}

export const MAX_INPUTS = 50;

const text = (characters: number) => z.string().transform((t) => t.slice(0, characters));

/** What `davit_server.answer` writes, or the run of a proof. A model can write anything in its place. */
export const answerDocument = z.looseObject({
  stages: z.array(z.object({ name: text(40), seconds: z.number().min(0).max(1e7) })).max(20),
  failed: describedFailure.nullable(),
  inputs: z
    .array(
      z.object({
        body: z.string(),
        answer: z.string().nullable(),
        why: text(2000).nullable(),
        seconds: z.number().min(0).max(1e7),
        varies: z.boolean(),
      }),
    )
    .max(MAX_INPUTS),
  peak_memory_bytes: z
    .int()
    .min(0)
    .max(2 ** 50),
});
export type AnswerDocument = z.infer<typeof answerDocument>;

const answeredLine = z.object({ answered: answerDocument.nullable() });

/** What the run of a proof has answered beside its document. Undefined: nothing, or not all of it. */
export function parseAnswered(stdout: string): AnswerDocument | undefined {
  const lines = stdout.split('\n').filter(isAnsweredLine);
  const [found] = lines.slice(-1).flatMap(parseJsonLine);
  return answeredLine.safeParse(found).data?.answered ?? undefined;
}

/** A file with inputs, in a folder of its own, because the sandbox shows the whole folder to the model. */
export interface InputsFile {
  readonly folder: string;
  readonly file: string;
}

export async function withInputsFile<T>(
  inputs: readonly PredictedInput[],
  work: (given: InputsFile) => Promise<T>,
): Promise<T> {
  const folder = makeTemporaryFolder('inputs');
  const file = join(folder, 'inputs.json');
  try {
    await writeFile(file, JSON.stringify(inputs.map(({ kind, body }) => ({ kind, body }))));
    return await work({ folder, file });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
