import { describe, expect, it } from 'vitest';
import { renderMetrics } from '../../serving-api/render-metrics.ts';
import { TrafficCounter } from '../../serving-api/traffic-counter.ts';

describe('renderMetrics()', () => {
  it('counts the last minute in gauges and every latency in a histogram', () => {
    const traffic = new TrafficCounter();
    traffic.count(200, 3, 1_000_000);
    traffic.count(500, 70_000, 1_050_000);
    traffic.count(200, 0.5, 1_070_000);
    traffic.count(404, 7, 1_070_100);
    const text = renderMetrics('iris', [{ entity: 'iris-1', traffic: traffic.read(1_075_000), provisioned: 4 }]);
    const labels = 'endpoint="iris",served_entity="iris-1"';
    expect(text.split('\n')).toEqual([
      '# TYPE provisioned_concurrent_requests_total gauge',
      `provisioned_concurrent_requests_total{${labels}} 4`,
      '# TYPE request_count_total gauge',
      `request_count_total{${labels}} 3`,
      '# TYPE request_4xx_count_total gauge',
      `request_4xx_count_total{${labels}} 1`,
      '# TYPE request_5xx_count_total gauge',
      `request_5xx_count_total{${labels}} 1`,
      '# TYPE request_latency_ms histogram',
      ...['1', '2', '5', '10', '25', '50', '100', '250', '500', '1000', '2500', '5000', '10000', '60000', '+Inf'].map(
        (bound, i) =>
          `request_latency_ms_bucket{${labels},le="${bound}"} ${[1, 1, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 4][i]!}`,
      ),
      `request_latency_ms_sum{${labels}} 70010.500`,
      `request_latency_ms_count{${labels}} 4`,
      '# EOF',
      '',
    ]);
  });
});
