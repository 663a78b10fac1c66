import type { Diagnostic } from '../../schemas/diagnostic.ts';
import type { EnvironmentRegistry } from '../../schemas/environment/model-registry.ts';
import type { LockedEntity } from '../../schemas/lock/lock.ts';
import type { PythonOptions } from '../../python/find-uv.ts';

export interface FetchedModel {
  /** Absolute path. Undefined if any diagnostic is an error. */
  readonly folder: string | undefined;
  readonly diagnostics: readonly Diagnostic[];
  /** The version that an alias, a stage or `latest` means. Undefined: the file names a version. */
  readonly resolved?: ResolvedVersion | undefined;
}

export type ResolvedVersion = NonNullable<LockedEntity['model']['resolved']>;

/**
 * How an alias, a stage or `latest` becomes a version. `current`: the registry says so, for a new lock. `checked`: the
 * same, but another version than the locked one makes the lock stale. `locked`: the lock says so, for what was reviewed.
 */
export type AliasRule = 'current' | 'checked' | 'locked';

export interface FetchOptions extends PythonOptions {
  /** The project folder. Paths in an endpoint file are relative to it. */
  readonly root: string;
  /** The registries of the environments that the model is for. Default: none, so the environment variables count. */
  readonly registries?: readonly EnvironmentRegistry[] | undefined;
  /** The model in the existing lock. */
  readonly locked?: LockedEntity['model'] | undefined;
  /** Default: `current`. */
  readonly aliases?: AliasRule | undefined;
}
