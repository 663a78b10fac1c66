import { readErrorMessage } from '../../schemas/values/read-error-message.ts';
import { ensureVirtualenv, locateVirtualenv, makeVirtualenvRequest } from '../../python/ensure-virtualenv.ts';
import { VirtualenvError } from '../../python/virtualenv-error.ts';
import type { PythonOptions } from '../../python/find-uv.ts';
import { chooseSandbox, type Sandbox } from '../../sandbox/sandbox.ts';
import type { Lock, LockedEntity } from '../../schemas/lock/lock.ts';
import type { PredictionComparison } from '../../schemas/report/comparison.ts';
import type { NetworkAddress } from '../../schemas/values/network-address.ts';
import { SILENT, withProgress } from '../../system/progress.ts';
import type { ComparisonPolicy } from '../policy.ts';
import type { Subject } from '../subject.ts';
import { MAX_INPUTS } from '../proof/answer-document.ts';
import { answerInputs, type KeptAnswers, makeAnswersKey, readAnswers } from './answer-inputs.ts';
import { ComparisonError } from './comparison-error.ts';
import { comparePredictions, type SharedInput } from './compare-predictions.ts';
import { listSharedInputs } from './list-inputs.ts';

const MESSAGE_CHARACTERS = 1000;

/** A version that can be run. */
export interface RunnableVersion {
  readonly subject: Subject;
  readonly lock: Lock;
  readonly locked: LockedEntity;
  readonly folder: string;
  /** The services that it may reach. */
  readonly services: readonly NetworkAddress[];
}

/** Why there is no comparison. */
export interface MissingComparison {
  readonly note: string;
  /** `outage`: a later attempt may succeed. `unproved`: the validation says why. */
  readonly cause: 'fault' | 'outage' | 'unproved';
}

export type SideBySide =
  | { readonly predictions: PredictionComparison; readonly missing: null }
  | { readonly predictions: null; readonly missing: MissingComparison };

/** Explains an error. Whatever is not certainly a fault of a model or of the project is an outage. */
export function makeMissing(failure: string, error: unknown): SideBySide & { readonly predictions: null } {
  const isFault = error instanceof ComparisonError || error instanceof VirtualenvError;
  const note = `${failure}: ${renderError(error)}`;
  return { predictions: null, missing: { note, cause: isFault ? 'fault' : 'outage' } };
}

export interface SideBySideOptions extends PythonOptions {
  readonly policy: ComparisonPolicy;
  readonly withoutSandbox?: boolean | undefined;
}

/** Both versions predict the same inputs, at the same time. Any failure is returned; only an interruption is thrown. */
export async function predictSideBySide(
  old: RunnableVersion,
  now: RunnableVersion,
  options: SideBySideOptions,
): Promise<SideBySide> {
  try {
    return await runSideBySide(old, now, options);
  } catch (e) {
    options.signal?.throwIfAborted();
    return makeMissing('the predictions cannot be compared', e);
  }
}

/** An error as a sentence of limited length, because it may quote a model. */
function renderError(error: unknown): string {
  return readErrorMessage(error).slice(0, MESSAGE_CHARACTERS);
}

async function runSideBySide(
  old: RunnableVersion,
  now: RunnableVersion,
  options: SideBySideOptions,
): Promise<SideBySide> {
  const { progress = SILENT, signal, policy } = options;
  const given = (await listSharedInputs(old, now)).slice(0, MAX_INPUTS);
  if (given.length === 0 && old.locked.signature.inputs !== now.locked.signature.inputs)
    throw new ComparisonError('neither version has an example or a validation case, and their inputs differ');
  const both = pairVersions(old, now);
  const kept = await Promise.all(both.map((version) => findAnswers(version, given, options)));
  // Both run again if one has to: times of another hour, on a machine with other work, say nothing.
  const run = () => Promise.all(both.map((version) => answer(version, given, options)));
  const isKept = kept.every((k) => k !== undefined);
  const what = `Comparing ${now.subject.label} with ${old.subject.label} (both predict the same inputs)`;
  const [before, after] = isKept ? kept : await withProgress(progress, what, run);
  signal?.throwIfAborted();
  if (!before || !after) throw new RangeError('two versions give two results');
  if ('missing' in before) return before;
  if ('missing' in after) return after;
  const inputs = given.length > 0 ? given : listMadeInputs(before, after);
  if (inputs.length === 0) throw new ComparisonError('neither version has an input to predict');
  return { predictions: comparePredictions(inputs, before, after, policy), missing: null };
}

/** A version with the name of the one that it is compared with. */
export interface VersionOfPair extends RunnableVersion {
  readonly beside: string;
}

export function pairVersions(old: RunnableVersion, now: RunnableVersion): readonly [VersionOfPair, VersionOfPair] {
  return [
    { ...old, beside: nameModel(now) },
    { ...now, beside: nameModel(old) },
  ];
}

function nameModel({ locked }: RunnableVersion): string {
  return `${locked.model.digest} ${locked.virtualenv}`;
}

/** Inputs that both versions made from their signatures. */
function listMadeInputs(old: KeptAnswers, now: KeptAnswers): readonly SharedInput[] {
  const [body] = old.bodies;
  if (body === undefined || body !== now.bodies[0]) return [];
  return [{ of: 'both', origin: 'signature', name: '', kind: 'json', body }];
}

/** Earlier answers, without a virtualenv or a sandbox. */
async function findAnswers(
  version: VersionOfPair,
  inputs: readonly SharedInput[],
  options: PythonOptions,
): Promise<KeptAnswers | undefined> {
  const virtualenv = await locateVirtualenv(makeRequest(version), options).catch(() => undefined);
  return virtualenv && readAnswers(await makeAnswersKey({ ...makeAnsweringModel(version), virtualenv }, inputs));
}

async function answer(
  version: VersionOfPair,
  inputs: readonly SharedInput[],
  options: SideBySideOptions,
): Promise<KeptAnswers | ReturnType<typeof makeMissing>> {
  const { signal } = options;
  try {
    const sandbox = await openSandbox(options);
    const virtualenv = await ensureVirtualenv(makeRequest(version), { ...options, sandbox });
    const model = { ...makeAnsweringModel(version), virtualenv };
    return await answerInputs(model, inputs, { key: await makeAnswersKey(model, inputs), sandbox, signal });
  } catch (e) {
    signal?.throwIfAborted();
    return makeMissing(`${version.subject.label} cannot predict the inputs`, e);
  }
}

export async function openSandbox({
  withoutSandbox,
}: Pick<SideBySideOptions, 'withoutSandbox'>): Promise<Sandbox | undefined> {
  const sandbox = await chooseSandbox(withoutSandbox);
  if (sandbox && 'why' in sandbox) throw new Error(`its code runs only in a sandbox, and ${sandbox.why}`);
  return sandbox;
}

export function makeRequest({ lock, subject, folder }: RunnableVersion) {
  return makeVirtualenvRequest(lock, subject.entity.name, folder);
}

export function makeAnsweringModel({ subject, locked, folder, beside, services }: VersionOfPair) {
  const [{ digest }, cases] = [locked.model, locked.validation ?? []];
  return { entity: subject.entity, digest, folder, beside, services, cases };
}
