/** What was seen when a model was loaded and asked in the virtualenv of its lock. */
export interface Proof {
  /** Hash of everything it depends on: the same key is the same proof. */
  readonly key: string;
  /** Full version of the interpreter: `3.11.7`. */
  readonly python: string;
  /** Whether the model ran without network, secrets and a writable disk. */
  readonly sandboxed: boolean;
  readonly stages: readonly ProofStage[];
  /** The answer to the model's own input example as the model server would send it, JSON of at most 2048 bytes. */
  readonly answer: string | undefined;
  readonly peakMemoryBytes: number;
  readonly loadMemoryBytes: number | undefined;
  /** Version of MLflow in the virtualenv. */
  readonly mlflow: string | undefined;
  readonly warnings: readonly { readonly category: string; readonly message: string }[];
}

/** `import`, `load`, `predict`, `signature`: the steps of the proof, in this order. */
export interface ProofStage {
  readonly name: string;
  readonly seconds: number;
}
