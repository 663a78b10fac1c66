import { expect } from 'vitest';
import type { LoadReport } from '../../app/send-load/load-report.ts';
import { type LoadOptions, sendLoad } from '../../app/send-load/send-load.ts';
import { renderLoadReport, renderFailures } from '../../app/send-load/render-load-report.ts';
import { makeProbeClient, type ProbeRequest } from './probe-client.ts';

export interface ProbeOptions extends LoadOptions {
  readonly clients?: number;
  /** `both`: every second client opens a connection for each request, as a load balancer's health check does. */
  readonly connections?: 'kept' | 'fresh' | 'both';
  /** Seconds until an unanswered request has failed. Longer than any request that is held on purpose. */
  readonly limitSeconds?: number;
}

export interface Prober {
  /** Resolves when every client has an answer to a request that it sent after this call. */
  readonly round: () => Promise<void>;
  /** Stops the clients after their last answers, and returns the results. */
  readonly stop: () => Promise<LoadReport>;
}

const CLIENTS = 8;
const LIMIT_SECONDS = 120;
/** The servers share the processors with the clients, which would otherwise take most of them. */
const PAUSE_MILLISECONDS = 20;

/** Starts clients that send one request repeatedly, with a short pause, until they are stopped. */
export function startProber(request: ProbeRequest, options: ProbeOptions = {}): Prober {
  const { clients = CLIENTS, connections = 'both', limitSeconds = LIMIT_SECONDS } = options;
  const kept = makeProbeClient(request, { connections: 'kept', limitSeconds });
  const fresh = makeProbeClient(request, { connections: 'fresh', limitSeconds });
  const isFresh = (client: number) => connections === 'fresh' || (connections === 'both' && client % 2 === 1);
  const load = sendLoad((client) => (isFresh(client) ? fresh : kept).send(), clients, {
    pauseMilliseconds: PAUSE_MILLISECONDS,
    ...options,
  });
  const stop = async () => {
    load.stop();
    const report = await load.done;
    kept.close();
    return report;
  };
  return { round: load.round, stop };
}

export interface ProbeResult<T> {
  readonly result: T;
  readonly report: LoadReport;
}

/**
 * Runs an operation while clients send requests. All have an answer before it begins, and one to a request sent after
 * its end.
 */
export async function probeDuring<T>(
  request: ProbeRequest,
  operation: () => Promise<T>,
  options: ProbeOptions = {},
): Promise<ProbeResult<T>> {
  const prober = startProber(request, options);
  try {
    await prober.round();
    const result = await operation();
    await prober.round();
    return { result, report: await prober.stop() };
  } finally {
    await prober.stop();
  }
}

/** Fails with the results unless every request was answered with 200 and at least `atLeast` were sent. */
export function expectNoFailure(report: LoadReport, { atLeast = 1 }: { readonly atLeast?: number } = {}): void {
  expect(report.failed, renderFailures(report)).toBe(0);
  expect(report.sent, renderLoadReport(report)).toBeGreaterThanOrEqual(atLeast);
}

/** Fails unless the first entity answered before the second, and the second answered last. */
export function expectSwitch(report: LoadReport, from: string, to: string): void {
  const said = renderServed(report);
  expect([...report.served.keys()].sort(), said).toEqual([from, to].sort());
  expect(report.served.get(from)!.first, said).toBeLessThan(report.served.get(to)!.first);
  expect(report.served.get(to)!.last, said).toBeGreaterThan(report.served.get(from)!.last);
}

function renderServed({ served }: LoadReport): string {
  return [...served]
    .map(([name, { first, last, count }]) => `${name}: ${count} from ${first} to ${last} ms`)
    .join('\n');
}
