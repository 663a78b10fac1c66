/** What one run of Davit's Pulumi program needs to know. Davit may run several at once in its own process. */
export interface ProgramRun {
  readonly stack: string;
  /** Absolute path of the folder of Pulumi.yaml. */
  readonly projectFolder: string;
  /** Absolute path of the folder in which the engine runs providers. Paths in the state are relative to it. */
  readonly providerFolder: string;
  readonly variables: Readonly<Partial<Record<string, string>>>;
  /** Aborts when the engine has ended or was asked to stop, so that nothing waits for this run any more. */
  readonly signal: AbortSignal;
}
