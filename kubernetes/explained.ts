/** What becomes of a revision, as far as can be seen. */
export interface Explained {
  readonly state: 'ready' | 'waiting' | 'failed';
  /** One sentence for a person. */
  readonly message: string;
  readonly hints: readonly string[];
  /** Where to look for more: at what is free, or at what the model last said. */
  readonly look?: 'room' | 'log';
}

export interface ExplainOptions {
  readonly minReplicas: number;
  /** Milliseconds since 1970: when the wait began. */
  readonly began: number;
  readonly now: number;
}

export function waiting(message: string): Explained {
  return { state: 'waiting', message, hints: [] };
}

export function failed(message: string, hints: readonly string[] = [], look?: Explained['look']): Explained {
  return { state: 'failed', message, hints, ...(look && { look }) };
}

/** Patience with what may pass by itself: a failure only when it has lasted so long. */
export function failedFor(
  { since, now, patience }: { readonly since: number; readonly now: number; readonly patience: number },
  meanwhile: string,
  failure: Explained,
): Explained {
  return now - since < patience ? waiting(meanwhile) : failure;
}

/** The first answer that is a failure; one that is only patience says that there is none yet. */
export function firstOf<T>(items: readonly T[], explain: (item: T) => Explained | undefined): Explained | undefined {
  const explained = items.flatMap((item) => explain(item) ?? []);
  return explained.find((e) => e.state === 'failed') ?? explained[0];
}
