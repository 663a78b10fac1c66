import type { Diagnostic, SourceLocation } from '../diagnostic.ts';

export type Path = readonly (string | number)[];

export interface ParsedYaml<T> {
  /** Undefined if the text does not match the schema. */
  readonly value: T | undefined;
  /** The value without its invalid parts, if it then matches the schema. Rules can still check this value. */
  readonly rest: { readonly value: T; readonly wrong: readonly Path[] } | undefined;
  readonly diagnostics: readonly Diagnostic[];
  /** Locates a value, or its nearest parent if the value is absent. `key: true` locates the key instead. */
  readonly locate: (path: Path, options?: { readonly key?: boolean }) => SourceLocation;
}

export type Locate = ParsedYaml<unknown>['locate'];
