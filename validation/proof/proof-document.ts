import { z } from 'zod';
import { CASE_ORIGINS } from '../../schemas/lock/proof.ts';
import { WORKER_MODES } from '../../schemas/endpoint/worker-mode.ts';

/*
 * What `davit_server.prove` writes. It runs in the model's process, so a model can write anything in its place. Limits
 * keep that out of the report, which is about other models too and would become unreadable.
 */

const text = (characters: number) => z.string().transform((t) => t.slice(0, characters));
/** A text whose end says most. */
const tail = (characters: number) => z.string().transform((t) => t.slice(-characters));
const list = <T extends z.ZodType>(item: T, items: number) =>
  z
    .array(z.unknown())
    .transform((all) => all.slice(0, items))
    .pipe(z.array(item));
const seconds = z.number().min(0).max(1e7);
const bytes = z
  .int()
  .min(0)
  .max(2 ** 50);

/** Why the model failed, as `describe_failure` of the model server says it. */
export const describedFailure = z.object({
  stage: text(40),
  kind: text(200),
  message: text(4000),
  module: text(200).nullish(),
  needs_network: z.boolean().nullish(),
  /** Whether only a connection failed, also to this machine. */
  lost_connection: z.boolean().nullish(),
  trace: tail(20_000).nullish(),
});

/** The services that the model asked for. */
export const askedServices = list(text(300), 20).nullish();

const proofDocument = z.looseObject({
  stages: list(z.object({ name: text(40), seconds }), 20),
  failed: describedFailure.nullable(),
  /** Every predicted input. An endpoint has at most 20 cases. */
  cases: list(
    z.object({
      name: text(100),
      origin: z.enum(CASE_ORIGINS),
      seconds,
      answer: text(2048).nullish(),
      why: text(2000).nullish(),
      needs_network: z.boolean().nullish(),
    }),
    40,
  ),
  peak_memory_bytes: bytes,
  network: askedServices,
  load_memory_bytes: bytes.nullish(),
  mlflow: text(100).nullish(),
  /** Null: the model failed before the server chose a worker mode. */
  workers: z.object({ mode: z.enum(WORKER_MODES), found: list(text(100), 20) }).nullish(),
  warnings: list(z.object({ category: text(200), message: text(2000) }), 50),
  /** Libraries of the system that the model has loaded. `by`: the file that needs it; null: it was opened by name. */
  libraries: list(z.object({ name: text(100), by: text(300).nullable() }), 200),
});

/** The output of `davit_server.prove`. */
export type ProofDocument = z.infer<typeof proofDocument>;

export interface ProofOutput {
  /** Undefined if the program did not finish. */
  readonly document: ProofDocument | undefined;
  /** The last stage that started. Undefined: no stage started. */
  readonly began: string | undefined;
}

/** Whether a line has answers to other inputs, which are not part of the proof (answer-document.ts). */
export function isAnsweredLine(line: string): boolean {
  return line.startsWith('{"answered"');
}

export function parseProofOutput(stdout: string): ProofOutput {
  const lines = stdout.split('\n').filter((line) => !isAnsweredLine(line)).flatMap(parseJsonLine); // prettier-ignore
  const begun = lines.flatMap((line) => stageBegan.safeParse(line).data?.began ?? []);
  return { document: proofDocument.safeParse(lines.at(-1)).data, began: begun.at(-1) };
}

/** The source files of modules without byte code, as the model's process names them. */
const imported = z.strictObject({ imported: z.array(z.string()) });

export function parseImported(line: string): readonly string[] {
  if (!line.startsWith('{"imported"')) return [];
  return parseJsonLine(line).flatMap((value) => imported.safeParse(value).data?.imported ?? []);
}

/** The document that a program writes as its last line. Undefined if it did not finish. */
export function parseDocument(stdout: string): unknown {
  return parseJsonLine(stdout.trimEnd().split('\n').at(-1) ?? '')[0];
}

const stageBegan = z.strictObject({ began: z.string() });

export function parseJsonLine(line: string): readonly unknown[] {
  try {
    return [JSON.parse(line)];
  } catch {
    return []; // the incomplete last line of a killed program
  }
}
