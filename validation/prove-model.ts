import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Virtualenv } from '../python/ensure-virtualenv.ts';
import type { Diagnostic } from '../schemas/diagnostic.ts';
import type { LockedEntity, LockedPackage } from '../schemas/lock.ts';
import { contentHash } from '../schemas/names.ts';
import type { Proof } from '../schemas/proof.ts';
import { readText } from '../schemas/read-declared.ts';
import { writeFileAtomically } from '../system/atomic-files.ts';
import { cacheFolder } from '../system/cache.ts';
import { explainProof } from './explain-proof.ts';
import { type ProofRun, proofLimits, RUNTIME, runProof } from './run-proof.ts';
import type { Subject } from './subject.ts';

export interface ProofResult {
  /** Undefined when the model failed. */
  readonly proof: Proof | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

const FORMAT = 1;

/** Hash of all that a proof depends on: the model, its virtualenv, the machine, our own runner and the limits. */
export async function proofKey(subject: Subject, locked: LockedEntity, virtualenv: Virtualenv): Promise<string> {
  return contentHash({
    format: FORMAT,
    model: locked.model.digest,
    virtualenv: virtualenv.key,
    machine: `${process.platform}-${process.arch}`,
    runner: await hashRunner(),
    limits: proofLimits(subject.entity),
    environmentVars: subject.entity.environmentVars,
  });
}

/** A proof made before, if it is in the cache. */
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

/** The dynamic stage: runs the model once. A proof is kept in the cache; a failure is not. */
export async function proveModel(
  subject: Subject,
  model: { readonly folder: string; readonly key: string; readonly packages: readonly LockedPackage[] },
  options: { readonly virtualenv: Virtualenv; readonly signal?: AbortSignal | undefined },
): Promise<ProofResult> {
  const limits = proofLimits(subject.entity);
  const { environmentVars } = subject.entity;
  const run = await runProof(model.folder, options.virtualenv, { limits, environmentVars, signal: options.signal });
  const diagnostics = explainProof(subject, run, { limits, packages: model.packages });
  if (diagnostics.length > 0 || !run.document) return { proof: undefined, diagnostics };
  const proof = makeProof(model.key, options.virtualenv, run, run.document);
  await writeFileAtomically(proofFile(model.key), JSON.stringify(proof));
  return { proof, diagnostics };
}

function makeProof(
  key: string,
  { pythonVersion }: Virtualenv,
  { sandboxed }: ProofRun,
  seen: NonNullable<ProofRun['document']>,
): Proof {
  return {
    key,
    python: pythonVersion,
    sandboxed,
    stages: seen.stages.map(({ name, seconds }) => ({ name, seconds })),
    answer: seen.answer ?? undefined,
    peakMemoryBytes: seen.peak_memory_bytes,
    loadMemoryBytes: seen.load_memory_bytes ?? undefined,
    mlflow: seen.mlflow ?? undefined,
    warnings: seen.warnings.map(({ category, message }) => ({ category, message })),
  };
}

function proofFile(key: string): string {
  return cacheFolder('proofs', `${key}.json`);
}

/** All of the model server: what proves is what serves. */
async function hashRunner(): Promise<string> {
  const folder = join(RUNTIME, 'davit_server');
  const files = (await readdir(folder)).filter((f) => f.endsWith('.py')).sort();
  return contentHash(await Promise.all(files.map((f) => readFile(join(folder, f), 'utf8'))));
}
