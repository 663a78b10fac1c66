import {
  ensureVirtualenv,
  isVirtualenvComplete,
  locateVirtualenv,
  makeVirtualenvRequest,
  type Virtualenv,
} from '../../python/ensure-virtualenv.ts';
import type { PythonOptions } from '../../python/find-uv.ts';
import { VirtualenvError } from '../../python/virtualenv-error.ts';
import { chooseSandbox, isSandboxWaived, type MissingSandbox, type Sandbox } from '../../sandbox/sandbox.ts';
import type { Diagnostic } from '../../schemas/diagnostic.ts';
import type { Lock } from '../../schemas/lock/lock.ts';
import type { Proof } from '../../schemas/lock/proof.ts';
import { readOwn } from '../../schemas/values/read-own.ts';
import { allowServices, type NetworkRules } from '../network/allow-services.ts';
import { makeSubjectError, type Subject } from '../subject.ts';
import { makeProofKey, readProof } from './prove-model.ts';

interface PrepareOptions extends PythonOptions, NetworkRules {
  /** Runs models with the user's own rights. Undefined: the environment of the user decides. */
  readonly withoutSandbox?: boolean | undefined;
}

interface PreparationResult {
  /** Undefined if there is none; the diagnostics say why. */
  readonly value: PreparedVirtualenv | undefined;
  readonly cached: boolean;
  readonly diagnostics: readonly Diagnostic[];
}

export interface PreparedVirtualenv {
  readonly virtualenv: Virtualenv;
  readonly key: string;
  /** An earlier proof of the same model in the same virtualenv. */
  readonly proof: Proof | undefined;
  /** The sandbox for the model. Undefined: the user has said that it runs with the user's own rights. */
  readonly openSandbox: () => Promise<Sandbox | undefined>;
}

/**
 * Skips the virtualenv if the cache has a proof. Otherwise makes it, if the cache does not have it.
 * Without a proof and without a sandbox, nothing of the model's packages is installed.
 */
export async function prepareVirtualenv(
  subject: Subject,
  lock: Lock,
  folder: string,
  options: PrepareOptions,
): Promise<PreparationResult> {
  const request = makeVirtualenvRequest(lock, subject.entity.name, folder);
  const locked = readOwn(lock.entities, subject.entity.name);
  const services = allowServices(subject.entity, options);
  try {
    const known = await locateVirtualenv(request, options);
    const key = known && locked && (await makeProofKey(subject, locked, known, services));
    const proof = key === undefined ? undefined : await readProof(key);
    if (known && key !== undefined && proof && (proof.sandboxed || isSandboxWaived(options.withoutSandbox)))
      return {
        value: { virtualenv: known, key, proof, openSandbox: () => findUsable(options) },
        cached: true,
        diagnostics: [],
      };
    const sandbox = await chooseSandbox(options.withoutSandbox);
    if (sandbox && 'why' in sandbox)
      return { value: undefined, cached: false, diagnostics: [reportMissingSandbox(subject, sandbox)] };
    const cached = known !== undefined && (await isVirtualenvComplete(known));
    const virtualenv = cached ? known : await ensureVirtualenv(request, { ...options, sandbox });
    const wanted = key ?? (locked ? await makeProofKey(subject, locked, virtualenv, services) : '');
    const openSandbox = () => Promise.resolve(sandbox);
    return { value: { virtualenv, key: wanted, proof: undefined, openSandbox }, cached, diagnostics: [] };
  } catch (e) {
    if (!(e instanceof VirtualenvError)) throw e;
    return { value: undefined, cached: false, diagnostics: [makeSubjectError(subject, e.kind, e.message, e.hint)] };
  }
}

/** For a model that is proved already: only its pickles may have to be scanned again, by a program of Davit's. */
async function findUsable({ withoutSandbox }: PrepareOptions): Promise<Sandbox | undefined> {
  const sandbox = await chooseSandbox(withoutSandbox);
  return sandbox && 'why' in sandbox ? undefined : sandbox;
}

function reportMissingSandbox(subject: Subject, { why, hint }: MissingSandbox): Diagnostic {
  const message = `Cannot prove ${subject.label}: its code runs only in a sandbox, and ${why}`;
  return makeSubjectError(subject, 'sandbox-missing', message, hint);
}
