import type { Asked, Failure } from './asked.ts';

const MOST_CHARACTERS = 300;

/** The latency in milliseconds that this share of the requests did not exceed. */
export function percentile({ latencies }: Pick<Asked, 'latencies'>, share: number): number {
  return latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? NaN;
}

/** The figures as text: sent, failed, p50, p99, the longest, and how often each answer occurred. */
export function renderAsked(asked: Asked): string {
  const at = (share: number) => percentile(asked, share).toFixed(1);
  const again = asked.cameAgain > 0 ? `, ${asked.cameAgain} told to come again` : '';
  const kinds = [...asked.answers].map(([answer, count]) => `${count} × ${answer.trim()}`);
  return [
    `${asked.sent} requests sent, ${asked.failed} failed${again}; p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms`,
    ...kinds,
  ].join('\n');
}

/** The failures as text: how often each outcome occurred, and the first failures with their times. */
export function renderFailures({ sent, failed, outcomes, failures }: Asked): string {
  const counts = [...outcomes].map(([outcome, count]) => `${count} × ${outcome}`).join(', ');
  return [`${failed} of ${sent} requests failed, expected 0: ${counts}`, ...failures.map(renderFailure)].join('\n');
}

function renderFailure({ outcome, body, at }: Failure): string {
  return `  after ${(at / 1000).toFixed(1)} s: ${outcome} ${body.trim().slice(0, MOST_CHARACTERS)}`.trimEnd();
}
