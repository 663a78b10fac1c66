/** The observed state of a revision. */
export interface RevisionDiagnosis {
  readonly state: 'ready' | 'waiting' | 'failed';
  /** One sentence for the user. */
  readonly message: string;
  readonly hints: readonly string[];
  /** Where to look for details: at the free capacity, or at the model's log. */
  readonly look?: 'room' | 'log';
}

export interface DiagnosisOptions {
  readonly minReplicas: number;
  /** When the wait began, in milliseconds since 1970. */
  readonly began: number;
  readonly now: number;
}

export function waiting(message: string): RevisionDiagnosis {
  return { state: 'waiting', message, hints: [] };
}

export function failed(
  message: string,
  hints: readonly string[] = [],
  look?: RevisionDiagnosis['look'],
): RevisionDiagnosis {
  return { state: 'failed', message, hints, ...(look && { look }) };
}

/** Reports a problem that may pass by itself as a failure only after it has lasted for `patience`. */
export function failAfterPatience(
  { since, now, patience }: { readonly since: number; readonly now: number; readonly patience: number },
  meanwhile: string,
  failure: RevisionDiagnosis,
): RevisionDiagnosis {
  return now - since < patience ? waiting(meanwhile) : failure;
}

/** The first failure among the explanations, else the first explanation. */
export function chooseDiagnosis<T>(
  items: readonly T[],
  explain: (item: T) => RevisionDiagnosis | undefined,
): RevisionDiagnosis | undefined {
  const explained = items.flatMap((item) => explain(item) ?? []);
  return explained.find((e) => e.state === 'failed') ?? explained[0];
}
