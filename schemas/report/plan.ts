/** The changes that an update would make, or has made, to one stack. */
export interface Plan {
  readonly stack: string;
  /** In the engine's order. Excludes stacks, components and providers. */
  readonly resources: readonly PlannedResource[];
  readonly counts: Readonly<Record<Operation, number>>;
  readonly verdict: Verdict;
}

export const OPERATIONS = ['create', 'update', 'replace', 'delete', 'same'] as const;
export type Operation = (typeof OPERATIONS)[number];

export interface PlannedResource {
  readonly urn: string;
  /** `davit:local:Revision` */
  readonly type: string;
  /** The last part of the URN: `iris-1-3f9c2a71d0`. */
  readonly name: string;
  readonly operation: Operation;
  /** Changed inputs. A create lists all inputs, a delete none. */
  readonly differences: readonly PropertyDifference[];
}

export interface PropertyDifference {
  /** In Pulumi's notation: `bounds.max`, `entities[0].revision`. */
  readonly path: string;
  readonly change: 'add' | 'delete' | 'update';
  /** Whether this change replaces the resource. */
  readonly replaces: boolean;
  /**
   * "[secret]" for secrets, "[unknown]" for values known only after the update, undefined if the property was absent.
   */
  readonly old: unknown;
  /** The same notation. Undefined if the update removes the property. */
  readonly new: unknown;
}

export interface Verdict {
  readonly kind: 'no-change' | 'create' | 'rolling-update' | 'recreate' | 'update-in-place' | 'delete';
  /** For display: `rolling update: iris-1-3f9c2a71d0 → iris-2-8be10c44f7`. */
  readonly words: string;
  /** Additional lines, such as images that are built first or hardware that is missing. The engine adds none. */
  readonly notes: readonly string[];
}
