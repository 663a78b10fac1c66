import { LATENCY_BUCKETS_MS, type TrafficCounts } from './traffic-counter.ts';

/** The metrics of one entity of an endpoint. */
export interface EntityMetrics {
  readonly entity: string;
  readonly traffic: TrafficCounts;
  /** Units of concurrency that are ready now. */
  readonly provisioned: number;
}

/** Makes the text of `GET …/metrics`, with Databricks' names. The `_total` gauges cover the last minute. */
export function renderMetrics(endpoint: string, entities: readonly EntityMetrics[]): string {
  const labelled = entities.map((e) => ({ ...e, labels: `endpoint="${endpoint}",served_entity="${e.entity}"` }));
  const gauge = (name: string, read: (e: EntityMetrics) => number) => [
    `# TYPE ${name} gauge`,
    ...labelled.map((e) => `${name}{${e.labels}} ${read(e)}`),
  ];
  return [
    ...gauge('provisioned_concurrent_requests_total', (e) => e.provisioned),
    ...gauge('request_count_total', (e) => e.traffic.lastMinute.all),
    ...gauge('request_4xx_count_total', (e) => e.traffic.lastMinute.client),
    ...gauge('request_5xx_count_total', (e) => e.traffic.lastMinute.server),
    '# TYPE request_latency_ms histogram',
    ...labelled.flatMap((e) => renderLatency(e.labels, e.traffic.latency)),
    '# EOF',
    '',
  ].join('\n');
}

function renderLatency(labels: string, { buckets, sum, total }: TrafficCounts['latency']): readonly string[] {
  const bounds = [...LATENCY_BUCKETS_MS.map(String), '+Inf'];
  return [
    ...bounds.map((bound, i) => `request_latency_ms_bucket{${labels},le="${bound}"} ${buckets[i] ?? total}`),
    `request_latency_ms_sum{${labels}} ${sum.toFixed(3)}`,
    `request_latency_ms_count{${labels}} ${total}`,
  ];
}
