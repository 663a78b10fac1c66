import { ensureVirtualenv, makeVirtualenvRequest } from '../../python/ensure-virtualenv.ts';
import type { PythonOptions } from '../../python/find-uv.ts';
import { hasErrors } from '../../schemas/diagnostic.ts';
import type { Lock } from '../../schemas/lock/lock.ts';
import type { Proof } from '../../schemas/lock/proof.ts';
import { listLockedPackages } from '../../schemas/lock/find-locked-virtualenv.ts';
import { readOwn } from '../../schemas/values/read-own.ts';
import { SILENT, withProgress } from '../../system/progress.ts';
import type { AnswersBesideProof } from '../comparison/answer-beside-proof.ts';
import { allowServices, type NetworkRules, reportRefusedServices } from '../network/allow-services.ts';
import { checkPickles } from '../pickles/check-pickles.ts';
import type { ResolvedPolicy } from '../policy.ts';
import type { Subject } from '../subject.ts';
import type { StageOutput } from '../validation.ts';
import type { PredictedInput } from './answer-document.ts';
import { checkCases } from './check-cases.ts';
import { checkMemory } from './check-memory.ts';
import type { PreparedVirtualenv } from './prepare-virtualenv.ts';
import { type ProofResult, proveModel } from './prove-model.ts';
import { retryIfDamaged } from './retry-if-damaged.ts';
import { warnWithoutSandbox } from './warn-without-sandbox.ts';

/** Starts what a comparison runs while an entity is proved. Undefined: it runs nothing then. */
export type AnswerBesideProof = (subject: Subject, model: LockedFolder) => Promise<AnswersBesideProof | undefined>;

interface LockedFolder {
  readonly folder: string;
  readonly lock: Lock;
}

export interface ProofStageOptions extends PythonOptions, Omit<NetworkRules, 'policy'> {
  readonly policy: ResolvedPolicy;
  readonly answerBesideProof?: AnswerBesideProof | undefined;
}

/** Proves a model, unless the cache has its proof. */
export async function runProofStage(
  subject: Subject,
  { virtualenv, key, proof: earlier, openSandbox, folder, lock }: PreparedVirtualenv & LockedFolder,
  options: ProofStageOptions,
): Promise<StageOutput<Proof>> {
  const locked = readOwn(lock.entities, subject.entity.name);
  const services = allowServices(subject.entity, options);
  const refused = reportRefusedServices(subject, services, options);
  const [digest, cases] = [locked?.model.digest ?? '', locked?.validation ?? []];
  const checkProof = (proof: Proof) => [
    ...checkMemory(subject.entity, proof),
    ...checkCases(subject, proof, options.policy),
  ];
  const prepare = async () => {
    const sandbox = await openSandbox();
    await ensureVirtualenv(makeVirtualenvRequest(lock, subject.entity.name, folder), { ...options, sandbox });
    return sandbox;
  };
  const pickles = await checkPickles(subject, { folder, virtualenv, digest, prepare }, options);
  const found = [...refused, ...pickles];
  if (hasErrors(found)) return { value: undefined, cached: false, diagnostics: found };
  if (earlier) return { value: earlier, cached: true, diagnostics: [...found, ...checkProof(earlier)] };
  const { progress = SILENT, signal } = options;
  const sandbox = await openSandbox();
  if (!sandbox) warnWithoutSandbox(progress);
  const packages = listLockedPackages(lock, subject.entity.name);
  const elsewhere = Object.values(lock.virtualenvs).flatMap((v) => v.packages.map((p) => p.name));
  const hidesPredictions = !options.policy.showPredictions;
  const prove = (inputs: readonly PredictedInput[]) =>
    withProgress(progress, `Proving ${subject.label} (loads it and predicts)`, () =>
      proveModel(
        subject,
        { folder, key, packages, elsewhere, cases, services, inputs, hidesPredictions },
        { virtualenv, sandbox, signal },
      ),
    );
  const retry = { folder: virtualenv.folder, hasFailed: (r: ProofResult) => !r.proof, repair: prepare, progress };
  const beside = await options.answerBesideProof?.(subject, { folder, lock });
  const { proof, diagnostics } = await finishBeside(beside, () =>
    retryIfDamaged(() => prove(beside?.inputs ?? []), retry),
  );
  return {
    value: proof,
    cached: false,
    diagnostics: [...found, ...diagnostics, ...(proof ? checkProof(proof) : [])],
  };
}

/** Whatever becomes of the proof, what runs beside it ends. */
async function finishBeside(
  beside: AnswersBesideProof | undefined,
  prove: () => Promise<ProofResult>,
): Promise<ProofResult> {
  let answered: ProofResult['answered'];
  try {
    const result = await prove();
    answered = result.answered;
    return result;
  } finally {
    await beside?.finish(answered);
  }
}
