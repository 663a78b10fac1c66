import type { Virtualenv } from '../../python/ensure-virtualenv.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import type { Entity } from '../../schemas/endpoint/endpoint.ts';
import type { LockedCase } from '../../schemas/lock/locked-case.ts';
import { renderCases } from '../../schemas/lock/render-cases.ts';
import { type NetworkAddress, renderNetworkAddress } from '../../schemas/values/network-address.ts';
import { contentHash } from '../../schemas/values/names.ts';
import { readText } from '../../schemas/read-project.ts';
import { writeFileAtomically } from '../../system/atomic-files.ts';
import { cacheFolder } from '../../system/cache.ts';
import { type AnswerDocument, answerDocument, type InputsFile, withInputsFile } from '../proof/answer-document.ts';
import { parseDocument } from '../proof/proof-document.ts';
import { hashModelServer } from '../proof/prove-model.ts';
import { runModelProgram } from '../proof/run-model-program.ts';
import { ANSWERS_LIMIT_BYTES, computeProofSeconds, makeProofLimits } from '../proof/run-proof.ts';
import type { AnsweredInputs, SharedInput } from './compare-predictions.ts';
import { ComparisonError } from './comparison-error.ts';

const FORMAT = 2;

/** A model that answers, with everything that its answers depend on. */
export interface AnsweringModel {
  readonly entity: Entity;
  readonly digest: string;
  readonly folder: string;
  readonly virtualenv: Virtualenv;
  /** The other model of the comparison, which runs at the same time: the answers have times. */
  readonly beside: string;
  /** The services that it may reach. */
  readonly services: readonly NetworkAddress[];
  /** What its server predicts before it takes requests. */
  readonly cases: readonly LockedCase[];
}

/** Answers of one version, which the cache keeps. */
export interface KeptAnswers extends AnsweredInputs {
  readonly key: string;
  /** The bodies of the requests. They are those of the inputs, or the one that was made from the signature. */
  readonly bodies: readonly string[];
}

/** Hash of everything that the answers of a model depend on. */
export async function makeAnswersKey(model: AnsweringModel, inputs: readonly SharedInput[]): Promise<string> {
  const { entity, digest, virtualenv, beside, services, cases } = model;
  return contentHash({
    answers: FORMAT,
    model: digest,
    beside,
    virtualenv: virtualenv.key,
    machine: `${process.platform}-${process.arch}`,
    runner: await hashModelServer(),
    limits: makeProofLimits(entity),
    nan: entity.nan,
    environmentVars: entity.environmentVars,
    services: services.map(renderNetworkAddress),
    cases,
    inputs: inputs.map(({ kind, body }) => [kind, body]),
  });
}

/** Reads earlier answers from the cache. */
export async function readAnswers(key: string): Promise<KeptAnswers | undefined> {
  const kept = await readText(answersFile(key));
  if (kept === undefined) return undefined;
  try {
    const answers = JSON.parse(kept) as KeptAnswers;
    return answers.key === key ? answers : undefined;
  } catch {
    return undefined;
  }
}

export interface AnswerOptions {
  readonly key: string;
  /** Undefined: the model runs with the user's own rights. */
  readonly sandbox: Sandbox | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Loads a model in a fresh process and predicts the inputs. Keeps the answers. Throws a ComparisonError for a model that fails. */
export async function answerInputs(
  model: AnsweringModel,
  inputs: readonly SharedInput[],
  options: AnswerOptions,
): Promise<KeptAnswers> {
  const document = await withInputsFile(inputs, (given) => runAnswers(model, { given, inputs }, options));
  return keepAnswers(options.key, document);
}

export async function keepAnswers(key: string, document: AnswerDocument): Promise<KeptAnswers> {
  const answers = makeAnswers(key, document);
  await writeFileAtomically(answersFile(key), JSON.stringify(answers));
  return answers;
}

async function runAnswers(
  { entity, folder: model, virtualenv, services, cases }: AnsweringModel,
  { given, inputs }: { readonly given: InputsFile; readonly inputs: readonly SharedInput[] },
  { sandbox, signal }: AnswerOptions,
): Promise<AnswerDocument> {
  const limits = makeProofLimits(entity);
  const run = await runModelProgram({
    ...{ model, interpreter: virtualenv, environmentVars: entity.environmentVars, services, sandbox, signal },
    args: [
      ...['-m', 'davit_server.answer', '--model', model, '--inputs', given.file, '--nan', entity.nan],
      ...(cases.length > 0 ? ['--cases', renderCases(cases)] : []),
    ],
    data: [given.folder],
    limits: {
      // Each input is predicted twice, the second time only if the first took little.
      seconds: computeProofSeconds({ ...limits, loads: 1, predictions: limits.predictions + inputs.length }),
      outputBytes: ANSWERS_LIMIT_BYTES,
      processMemoryBytes: limits.memoryBytes,
      memoryBytes: limits.memoryBytes,
    },
  });
  const { data } = answerDocument.safeParse(parseDocument(run.stdout));
  if (data && !data.failed) return data;
  if (data?.failed) throw new ComparisonError(data.failed.message);
  throw new ComparisonError(
    run.stopped === undefined ? 'its process ended early' : `it exceeded its limit (${run.stopped})`,
  );
}

function makeAnswers(key: string, { inputs, stages, peak_memory_bytes: peak }: AnswerDocument): KeptAnswers {
  const seconds = (names: readonly string[]) =>
    stages.filter((s) => names.includes(s.name)).reduce((sum, s) => sum + s.seconds, 0);
  return {
    key,
    bodies: inputs.map((i) => i.body),
    answers: inputs.map(({ answer, why }) => ({ answer: answer ?? undefined, why: why ?? undefined })),
    run: {
      load_seconds: seconds(['import', 'load']),
      predict_seconds: inputs.reduce((sum, i) => sum + i.seconds, 0),
      peak_memory_bytes: peak,
      varies: inputs.some((i) => i.varies),
    },
  };
}

function answersFile(key: string): string {
  return cacheFolder('proofs', `${key}.json`);
}
