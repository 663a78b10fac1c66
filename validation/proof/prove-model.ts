import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Virtualenv } from '../../python/ensure-virtualenv.ts';
import type { Diagnostic } from '../../schemas/diagnostic.ts';
import type { LockedEntity } from '../../schemas/lock/lock.ts';
import type { LockedCase } from '../../schemas/lock/locked-case.ts';
import { contentHash } from '../../schemas/values/names.ts';
import type { Proof } from '../../schemas/lock/proof.ts';
import { type NetworkAddress, renderNetworkAddress } from '../../schemas/values/network-address.ts';
import { readText } from '../../schemas/read-project.ts';
import { writeFileAtomically } from '../../system/atomic-files.ts';
import { cacheFolder } from '../../system/cache.ts';
import { hasFailedService } from '../network/explain-network.ts';
import { explainProof, type ProofContext } from './explain-proof.ts';
import {
  type ProofOptions,
  makeProofLimits,
  type ProofRun,
  type ProofSettings,
  makeProofSettings,
  runProof,
} from './run-proof.ts';
import { RUNTIME_FOLDER } from './run-model-program.ts';
import type { ProofDocument } from './proof-document.ts';
import type { AnswerDocument, PredictedInput } from './answer-document.ts';
import type { Subject } from '../subject.ts';

export interface ProofResult {
  /** Undefined if the model failed. */
  readonly proof: Proof | undefined;
  /** The answers to the inputs of a comparison, if the model is proved and its run has given them. */
  readonly answered?: AnswerDocument | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

const FORMAT = 7;
/** `libgomp.so.1`. Plug-ins of libraries have other names. */
const LIBRARY_NAME = /^(?:lib|ld-)[\w.+-]+$/;
/** Of a failure, in a report. */
const SHOWN_CHARACTERS = 300;

/**
 * Hash of every input of a proof: model, virtualenv, machine, model server, limits, settings, environment variables,
 * services that it may reach.
 */
export async function makeProofKey(
  subject: Subject,
  locked: LockedEntity,
  virtualenv: Virtualenv,
  services: readonly NetworkAddress[],
): Promise<string> {
  return contentHash({
    format: FORMAT,
    model: locked.model.digest,
    virtualenv: virtualenv.key,
    machine: `${process.platform}-${process.arch}`,
    runner: await hashModelServer(),
    limits: makeProofLimits(subject.entity),
    settings: makeProofSettings(subject.entity),
    environmentVars: subject.entity.environmentVars,
    cases: locked.validation,
    services: services.map(renderNetworkAddress),
  });
}

/** Reads an earlier proof from the cache. */
export async function readProof(key: string): Promise<Proof | undefined> {
  const text = await readText(proofFile(key));
  if (text === undefined) return undefined;
  try {
    const proof = JSON.parse(text) as Proof;
    return proof.key === key ? proof : undefined;
  } catch {
    return undefined;
  }
}

/** The dynamic stage: runs the model once. Caches a proof, unless it lacked a service or the network. */
export async function proveModel(
  subject: Subject,
  model: Pick<ProofContext, 'packages' | 'elsewhere' | 'hidesPredictions'> & {
    readonly folder: string;
    readonly key: string;
    readonly cases: readonly LockedCase[];
    readonly services: readonly NetworkAddress[];
    /** What it also answers, for a comparison. The proof does not depend on it. */
    readonly inputs: readonly PredictedInput[];
  },
  options: Pick<ProofOptions, 'sandbox' | 'signal'> & { readonly virtualenv: Virtualenv },
): Promise<ProofResult> {
  const limits = makeProofLimits(subject.entity);
  const settings = makeProofSettings(subject.entity);
  const { environmentVars } = subject.entity;
  const { virtualenv, sandbox, signal } = options;
  const run = await runProof(model.folder, virtualenv, {
    ...{ limits, settings, environmentVars, sandbox, signal },
    ...{ cases: model.cases, services: model.services, inputs: model.inputs },
  });
  const loaded = run.document && findOnlyLoaded(run, model.cases, run.document);
  const usable = loaded ? { ...run, document: loaded } : run;
  const diagnostics = explainProof(subject, usable, { ...model, limits });
  if (diagnostics.length > 0 || !usable.document) return { proof: undefined, diagnostics };
  const proof = makeProof(model.key, virtualenv, { ...usable, document: usable.document }, settings);
  const isLasting = !proof.cases.some((c) => c.needsNetwork) && !hasFailedService(proof.network);
  if (isLasting) await writeFileAtomically(proofFile(model.key), JSON.stringify(proof));
  return { proof, answered: run.answered, diagnostics };
}

/**
 * A model that calls a service cannot predict its own example where the sandbox does not reach it, or where it does not
 * answer this machine. Only an exception of a failed connection counts: another one is a fault of the model. It has loaded, and the revision is asked where it has the network, before it takes traffic.
 * Undefined: it did not fail so. An input of the endpoint file is a condition of the author, so its failure always counts.
 */
export function findOnlyLoaded(
  { sandbox, run }: Pick<ProofRun, 'sandbox'> & { readonly run: Pick<ProofRun['run'], 'network'> },
  given: readonly unknown[],
  document: ProofDocument,
): ProofDocument | undefined {
  const { failed, cases } = document;
  const [example, ...others] = cases;
  if (!sandbox || given.length > 0 || failed?.stage !== 'predict') return undefined;
  const isLost = failed.lost_connection === true && hasFailedService(run.network);
  if (failed.needs_network !== true && !isLost) return undefined;
  if (example?.origin !== 'example' || others.length > 0) return undefined;
  const why = failed.message.slice(0, SHOWN_CHARACTERS);
  return { ...document, failed: null, cases: [{ ...example, answer: null, why, needs_network: true }] };
}

function makeProof(
  key: string,
  { pythonVersion }: Virtualenv,
  { sandbox, document, run }: ProofRun & { readonly document: ProofDocument },
  settings: ProofSettings,
): Proof {
  return {
    key,
    python: pythonVersion,
    sandboxed: sandbox !== undefined,
    sandboxLacks: sandbox?.lacks ?? [],
    stages: document.stages.map(({ name, seconds }) => ({ name, seconds })),
    cases: document.cases.map(({ name, origin, answer, why, needs_network: needsNetwork }) => ({
      ...{ name, origin },
      answer: answer ?? undefined,
      failure: why ?? undefined,
      needsNetwork: needsNetwork === true,
    })),
    peakMemoryBytes: document.peak_memory_bytes,
    loadMemoryBytes: document.load_memory_bytes ?? undefined,
    workers: makeProofWorkers(document, settings),
    mlflow: document.mlflow ?? undefined,
    warnings: document.warnings.map(({ category, message }) => ({ category, message })),
    libraries: document.libraries
      .filter(({ name }) => LIBRARY_NAME.test(name))
      .map(({ name, by }) => ({ name, by: by ?? undefined })),
    network: run.network,
    asked: document.network ?? [],
  };
}

/** Forks share the memory of the loaded model. In the mode `separate`, each worker has its own copy. */
export function makeProofWorkers(
  document: ProofDocument,
  { workers }: Pick<ProofSettings, 'workers'>,
): Proof['workers'] {
  if (!document.workers) return undefined;
  const { mode } = document.workers;
  const loaded = document.load_memory_bytes ?? document.peak_memory_bytes;
  const { found } = document.workers;
  const count = mode === 'one' ? 1 : workers;
  return { mode, found, count, memoryBytes: mode === 'separate' ? count * loaded : loaded };
}

function proofFile(key: string): string {
  return cacheFolder('proofs', `${key}.json`);
}

/** Hashes the whole model server, because the same code proves and serves. */
export async function hashModelServer(): Promise<string> {
  const folder = join(RUNTIME_FOLDER, 'davit_server');
  const files = (await readdir(folder, { recursive: true })).filter((f) => f.endsWith('.py')).sort();
  return contentHash(await Promise.all(files.map((f) => readFile(join(folder, f), 'utf8'))));
}
