import type { Diagnostic } from '../../schemas/diagnostic.ts';

export interface FetchedModel {
  /** Absolute path. Undefined if any diagnostic is an error. */
  readonly folder: string | undefined;
  readonly diagnostics: readonly Diagnostic[];
}
