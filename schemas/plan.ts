/** What an update would change in one stack, or has changed. */
export interface Plan {
  readonly stack: string;
  /** In the order in which the engine came to them; without stacks, components and providers. */
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
  /** Inputs that differ; all of them for a create, none for a delete. */
  readonly differences: readonly PropertyDifference[];
}

export interface PropertyDifference {
  /** In Pulumi's notation: `bounds.max`, `entities[0].revision`. */
  readonly path: string;
  readonly change: 'add' | 'delete' | 'update';
  /** Whether this one needs a new resource. */
  readonly replaces: boolean;
  /** Secrets are "[secret]"; what only the update will know is "[unknown]"; undefined: it was not there. */
  readonly old: unknown;
  /** Likewise; undefined: it will not be there. */
  readonly new: unknown;
}

export interface Verdict {
  readonly kind: 'no-change' | 'create' | 'rolling-update' | 'recreate' | 'update-in-place' | 'delete';
  /** For a person: `rolling update: iris-1-3f9c2a71d0 → iris-2-8be10c44f7`. */
  readonly words: string;
  /** What to know beside it, a line each: images that are built first, hardware that is missing. The engine adds none. */
  readonly notes: readonly string[];
}
