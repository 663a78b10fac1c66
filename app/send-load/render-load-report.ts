import type { LoadReport, Failure } from './load-report.ts';

const MOST_CHARACTERS = 300;

/** The latency in milliseconds that this share of the requests did not exceed. */
export function percentile({ latencies }: Pick<LoadReport, 'latencies'>, share: number): number {
  return latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? NaN;
}

/** The figures as text: sent, failed, p50, p99, the longest, and how often each answer occurred. */
export function renderLoadReport(report: LoadReport): string {
  const at = (share: number) => percentile(report, share).toFixed(1);
  const retried = report.retried > 0 ? `, ${report.retried} asked to retry` : '';
  const kinds = [...report.answers].map(([answer, count]) => `${count} × ${answer.trim()}`);
  return [
    `${report.sent} requests sent, ${report.failed} failed${retried}; p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms`,
    ...kinds,
  ].join('\n');
}

/** The failures as text: how often each outcome occurred, and the first failures with their times. */
export function renderFailures({ sent, failed, outcomes, failures }: LoadReport): string {
  const counts = [...outcomes].map(([outcome, count]) => `${count} × ${outcome}`).join(', ');
  return [`${failed} of ${sent} requests failed, expected 0: ${counts}`, ...failures.map(renderFailure)].join('\n');
}

function renderFailure({ outcome, body, at }: Failure): string {
  return `  after ${(at / 1000).toFixed(1)} s: ${outcome} ${body.trim().slice(0, MOST_CHARACTERS)}`.trimEnd();
}
