import type { Diagnostic } from '../schemas/diagnostic.ts';
import type { Proof } from '../schemas/lock/proof.ts';

/** The stages of a validation, in order. */
export type StageName = 'fetch' | 'check' | 'lock' | 'virtualenv' | 'proof';

export interface StageResult {
  readonly name: StageName;
  readonly seconds: number;
  /** Whether the stage reused an earlier result. */
  readonly cached: boolean;
}

/** What a stage that an entity may pass has found. */
export interface StageOutput<T> {
  /** Undefined if the entity stops after this stage. */
  readonly value: T | undefined;
  readonly cached: boolean;
  readonly diagnostics: readonly Diagnostic[];
}

export interface EntityValidation {
  readonly entity: string;
  /** `iris 2` */
  readonly model: string;
  /** The stages that ran. Without a proof, the last stage is the one that failed. */
  readonly stages: readonly StageResult[];
  readonly proof: Proof | undefined;
  /** One sentence about known vulnerabilities of the locked packages. Undefined: the entity has no valid lock. */
  readonly advisories?: string | undefined;
}

export interface Validation {
  readonly endpoint: string;
  readonly entities: readonly EntityValidation[];
  readonly diagnostics: readonly Diagnostic[];
}
