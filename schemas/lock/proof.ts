import type { ModelLoading } from '../endpoint/worker-mode.ts';
import { type NetworkAddress, renderNetworkAddress } from '../values/network-address.ts';
import { renderBytes } from '../values/quantity.ts';

/** The result of a model's load and test prediction in the virtualenv of its lock. */
export interface Proof {
  /** Hash of every input of the proof. Equal keys mean equal proofs. */
  readonly key: string;
  /** Full version of the interpreter: `3.11.7`. */
  readonly python: string;
  /** Whether the model ran in a sandbox: without network access, rights, and files of this machine. */
  readonly sandboxed: boolean;
  /** What the sandbox of that machine could not give: `a limit for temporary files`. */
  readonly sandboxLacks: readonly string[];
  readonly stages: readonly ProofStage[];
  /** What the model predicted. None succeeded: it was only loaded. */
  readonly cases: readonly ProofCase[];
  readonly peakMemoryBytes: number;
  readonly loadMemoryBytes: number | undefined;
  /** How the workers of one replica load the model. Undefined: the model server did not report it. */
  readonly workers: ProofWorkers | undefined;
  /** Version of MLflow in the virtualenv. */
  readonly mlflow: string | undefined;
  readonly warnings: readonly { readonly category: string; readonly message: string }[];
  /** Shared libraries of the system that the model's packages have loaded, those of the C library included. */
  readonly libraries: readonly SystemLibrary[];
  /** The services that it could reach, and how it used them. */
  readonly network: readonly NetworkUse[];
  /** The services that it asked for, as it wrote them: `api.example.com:443`, or a host alone. */
  readonly asked: readonly string[];
}

/** How a program used a service that it could reach. */
export interface NetworkUse extends NetworkAddress {
  readonly connections: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** Why this machine could not connect, the last time: `ECONNREFUSED`. Undefined: every connection was made. */
  readonly failure: string | undefined;
}

/** Whether a service was never reached. */
export function isUnreachable({
  connections,
  failure,
}: Pick<NetworkUse, 'connections'> & { readonly failure?: string | undefined }): boolean {
  return connections === 0 && failure !== undefined;
}

/** `api.example.com:443 (2 connections, 1.2 KiB sent, 3 KiB received)`. Of a service that was never reached: the failure. */
export function renderNetworkUse(use: Omit<NetworkUse, 'failure'> & { readonly failure?: string | undefined }): string {
  const { connections, sentBytes, receivedBytes, failure } = use;
  const address = renderNetworkAddress(use);
  if (connections === 0) return `${address} (${failure ?? 'no connection'})`;
  const counts = [
    `${connections} ${connections === 1 ? 'connection' : 'connections'}`,
    ...[`${renderBytes(sentBytes)} sent`, `${renderBytes(receivedBytes)} received`],
  ];
  const failed = failure === undefined ? [] : [`another one failed: ${failure}`];
  return `${address} (${[...counts, ...failed].join(', ')})`;
}

export interface SystemLibrary {
  /** `libgomp.so.1` */
  readonly name: string;
  /** A file of a package or of the model that needs it: `lightgbm/lib/lib_lightgbm.so`. Undefined: opened by name. */
  readonly by: string | undefined;
}

/** Where an input comes from: the endpoint file, the model's example, or its signature. */
export const CASE_ORIGINS = ['endpoint', 'example', 'signature'] as const;
export type CaseOrigin = (typeof CASE_ORIGINS)[number];

/** An input that the model predicted. */
export interface ProofCase {
  readonly origin: CaseOrigin;
  /** The name in the endpoint file, or empty. */
  readonly name: string;
  /** The model server's response: JSON of at most 2048 bytes. */
  readonly answer: string | undefined;
  /** Why there is no answer. Never for an input of the endpoint file, because then there is no proof. */
  readonly failure: string | undefined;
  /** The model failed because a proof has no network. */
  readonly needsNetwork: boolean;
}

/** Names an input for people: `its input example`. */
export function describeCase({ origin, name }: Pick<ProofCase, 'origin' | 'name'>): string {
  if (origin === 'endpoint') return `the validation case "${name}"`;
  return origin === 'example' ? 'its input example' : 'an input made from the signature';
}

/** Whether the model was loaded and has predicted nothing. */
export function isOnlyLoaded(cases: readonly { readonly answer: string | null | undefined }[]): boolean {
  return cases.every(({ answer }) => answer === undefined || answer === null);
}

/** One step of the proof, in this order: `import`, `load`, `predict`, `signature`, `workers`. */
export interface ProofStage {
  readonly name: string;
  readonly seconds: number;
}

export interface ProofWorkers extends ModelLoading {
  /** Workers of one replica. */
  readonly count: number;
  /** Memory of the loaded model in all workers of one replica together. */
  readonly memoryBytes: number;
}
