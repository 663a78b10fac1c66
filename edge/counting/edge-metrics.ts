/** Upper bounds of the histogram's buckets, in seconds. */
const BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5] as const;

/** Values read at the moment of a scrape. */
export type Gauges = Readonly<Record<string, number>>;

/** Counts what the service does, for Prometheus. */
export class EdgeMetrics {
  readonly #answers = new Map<string, number>();
  readonly #buckets: number[] = BUCKETS.map(() => 0);
  #seconds = 0;
  #total = 0;

  /** Counts an answer to a check or to the management API. */
  count(kind: 'check' | 'management', status: number, milliseconds: number): void {
    const key = `kind="${kind}",status="${status}"`;
    this.#answers.set(key, (this.#answers.get(key) ?? 0) + 1);
    if (kind !== 'check') return;
    const seconds = milliseconds / 1000;
    const bucket = BUCKETS.findIndex((bound) => seconds <= bound);
    if (bucket >= 0) this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + 1;
    this.#seconds += seconds;
    this.#total += 1;
  }

  /** Makes Prometheus' text, version 0.0.4. */
  render(gauges: Gauges): string {
    let below = 0;
    const lines = [
      '# TYPE davit_edge_answers_total counter',
      ...[...this.#answers].map(([labels, n]) => `davit_edge_answers_total{${labels}} ${n}`),
      '# TYPE davit_edge_check_seconds histogram',
      ...BUCKETS.map((le, i) => `davit_edge_check_seconds_bucket{le="${le}"} ${(below += this.#buckets[i] ?? 0)}`),
      `davit_edge_check_seconds_bucket{le="+Inf"} ${this.#total}`,
      `davit_edge_check_seconds_sum ${this.#seconds.toFixed(6)}`,
      `davit_edge_check_seconds_count ${this.#total}`,
      ...Object.entries(gauges).flatMap(([name, value]) => [
        `# TYPE davit_edge_${name} gauge`,
        `davit_edge_${name} ${value}`,
      ]),
    ];
    return `${lines.join('\n')}\n`;
  }
}
