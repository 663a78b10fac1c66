/**
 * Serves Davit's Pulumi program to one engine from this process. `infra/` has it, and `engine/` loads it where it is used,
 * so that neither imports the other and the action's bundle contains no part of Pulumi's SDK.
 */
export type ServeProgram = (options: ProgramServerOptions) => Promise<ProgramServer>;

export interface ProgramServerOptions {
  /** The environment variables of the program. This process's own are not read. */
  readonly variables: Readonly<Partial<Record<string, string>>>;
  /** When it aborts, the program ends at once; the engine stops at its next safe point. */
  readonly signal?: AbortSignal | undefined;
}

export interface ProgramServer {
  /** The value of the engine's option `--client`. */
  readonly address: string;
  /** Ends a program that still runs. Call it when the engine has ended. */
  readonly close: () => void;
}
