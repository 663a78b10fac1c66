/** The observed state of a revision. */
export interface Explained {
  readonly state: 'ready' | 'waiting' | 'failed';
  /** One sentence for the user. */
  readonly message: string;
  readonly hints: readonly string[];
  /** Where to look for details: at the free capacity, or at the model's log. */
  readonly look?: 'room' | 'log';
}

export interface ExplainOptions {
  readonly minReplicas: number;
  /** When the wait began, in milliseconds since 1970. */
  readonly began: number;
  readonly now: number;
}

export function waiting(message: string): Explained {
  return { state: 'waiting', message, hints: [] };
}

export function failed(message: string, hints: readonly string[] = [], look?: Explained['look']): Explained {
  return { state: 'failed', message, hints, ...(look && { look }) };
}

/** Reports a problem that may pass by itself as a failure only after it has lasted for `patience`. */
export function failedFor(
  { since, now, patience }: { readonly since: number; readonly now: number; readonly patience: number },
  meanwhile: string,
  failure: Explained,
): Explained {
  return now - since < patience ? waiting(meanwhile) : failure;
}

/** The first failure among the explanations, else the first explanation. */
export function firstOf<T>(items: readonly T[], explain: (item: T) => Explained | undefined): Explained | undefined {
  const explained = items.flatMap((item) => explain(item) ?? []);
  return explained.find((e) => e.state === 'failed') ?? explained[0];
}
