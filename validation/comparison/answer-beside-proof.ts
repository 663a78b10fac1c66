import { existsSync } from 'node:fs';
import { totalmem } from 'node:os';
import { isVirtualenvComplete, locateVirtualenv, type Virtualenv } from '../../python/ensure-virtualenv.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import { chooseWorkerMode } from '../../schemas/endpoint/worker-mode.ts';
import { SILENT, withProgress } from '../../system/progress.ts';
import { measureModel } from '../size/measure-model.ts';
import { type AnswerDocument, MAX_INPUTS } from '../proof/answer-document.ts';
import { answerInputs, keepAnswers, makeAnswersKey, readAnswers } from './answer-inputs.ts';
import type { SharedInput } from './compare-predictions.ts';
import { listSharedInputs } from './list-inputs.ts';
import {
  makeAnsweringModel,
  makeRequest,
  openSandbox,
  pairVersions,
  type RunnableVersion,
  type SideBySideOptions,
  type VersionOfPair,
} from './predict-side-by-side.ts';

/** What a comparison runs while the new version is proved. */
export interface AnswersBesideProof {
  /** The run of the proof answers these, too. */
  readonly inputs: readonly SharedInput[];
  /**
   * Waits for the old version, and keeps the answers of both. Undefined: the run of the proof has given none, so the old
   * version is stopped.
   */
  readonly finish: (answered: AnswerDocument | undefined) => Promise<void>;
}

export type BesideProofOptions = Omit<SideBySideOptions, 'policy'>;

/**
 * Has the old version predict the inputs of both while the new version is proved, so that the comparison finds the answers
 * of both and loads neither again. Undefined: the comparison runs both itself. Fails only when it is interrupted.
 */
export async function startAnswersBesideProof(
  old: RunnableVersion,
  now: RunnableVersion,
  options: BesideProofOptions,
): Promise<AnswersBesideProof | undefined> {
  // Only forks of the proved model can answer without being part of its proof.
  if (!['found', 'shared'].includes(chooseWorkerMode(now.subject.entity))) return undefined;
  // The proof tells how its run used each service, so requests for these inputs would count as the proof's.
  if (now.services.length > 0) return undefined;
  if (!(await doBothFit(old, now))) return undefined;
  const inputs = (await listSharedInputs(old, now)).slice(0, MAX_INPUTS);
  const [before, after] = await Promise.all(pairVersions(old, now).map((v) => findWarm(v, inputs, options)));
  if (inputs.length === 0 || !before || !after) return undefined;
  if ((await readAnswers(before.key)) && (await readAnswers(after.key))) return undefined;
  return runBeside({ old: before, key: after.key, inputs }, await openSandbox(options), {
    ...options,
    what: `Predicting the same inputs with ${old.subject.label}`,
  });
}

/** Of the machine's memory, for the files of all models that are loaded at the same time. An object takes more than its file. */
const SHARE_OF_MACHINE = 1 / 8;

/** The proof may load the new version twice. Where memory is short, the kernel could end the proof in place of the other run. */
async function doBothFit(old: RunnableVersion, now: RunnableVersion): Promise<boolean> {
  const [before, after] = await Promise.all([old, now].map(({ folder }) => measureModel({ folder, flavors: {} })));
  return (before?.bytes ?? 0) + 2 * (after?.bytes ?? 0) <= totalmem() * SHARE_OF_MACHINE;
}

interface WarmVersion {
  readonly version: VersionOfPair;
  readonly virtualenv: Virtualenv;
  readonly key: string;
}

/** Undefined: its virtualenv has no byte code yet. Its load would take longer than that of the other version. */
async function findWarm(
  version: VersionOfPair,
  inputs: readonly SharedInput[],
  options: BesideProofOptions,
): Promise<WarmVersion | undefined> {
  const virtualenv = await locateVirtualenv(makeRequest(version), options);
  if (!virtualenv || !existsSync(virtualenv.pycache) || !(await isVirtualenvComplete(virtualenv))) return undefined;
  const key = await makeAnswersKey({ ...makeAnsweringModel(version), virtualenv }, inputs);
  return { version, virtualenv, key };
}

interface BesideProof {
  readonly old: WarmVersion;
  /** Of the new version's answers. */
  readonly key: string;
  readonly inputs: readonly SharedInput[];
}

function runBeside(
  { old: { version, virtualenv, key: oldKey }, key, inputs }: BesideProof,
  sandbox: Sandbox | undefined,
  { signal, progress = SILENT, what }: BesideProofOptions & { readonly what: string },
): AnswersBesideProof {
  const stop = new AbortController();
  const stops = AbortSignal.any([stop.signal, ...(signal ? [signal] : [])]);
  const model = { ...makeAnsweringModel(version), virtualenv };
  const run = answerInputs(model, inputs, { key: oldKey, sandbox, signal: stops });
  // A failure is found again by the comparison, which reports it.
  const ended = run.then(
    () => true,
    () => false,
  );
  const finish = async (answered: AnswerDocument | undefined) => {
    const isWhole =
      answered !== undefined &&
      !answered.failed &&
      answered.inputs.length === inputs.length &&
      inputs.every(({ body }, i) => answered.inputs[i]?.body === body);
    if (!isWhole) stop.abort(new Error('the run of the proof has answered nothing'));
    const isAnswered = await (isWhole ? withProgress(progress, what, () => ended) : ended);
    signal?.throwIfAborted();
    if (isWhole && isAnswered) await keepAnswers(key, answered);
  };
  return { inputs, finish };
}
