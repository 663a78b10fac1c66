import type { ModelLoading } from '../endpoint/worker-mode.ts';

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
  /** The model server's response to the model's input example: JSON of at most 2048 bytes. */
  readonly answer: string | undefined;
  readonly peakMemoryBytes: number;
  readonly loadMemoryBytes: number | undefined;
  /** How the workers of one replica load the model. Undefined: the model server did not report it. */
  readonly workers: ProofWorkers | undefined;
  /** Version of MLflow in the virtualenv. */
  readonly mlflow: string | undefined;
  readonly warnings: readonly { readonly category: string; readonly message: string }[];
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
