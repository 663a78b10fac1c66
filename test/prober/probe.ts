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
/** What is asked shares the processors with the clients, which would otherwise take most of them. */
const PAUSE_MILLISECONDS = 20;

/** Starts clients that send one request repeatedly, with a short pause, until they are stopped. */
export function startProber(question: ProbeRequest, options: ProbeOptions = {}): Prober {
  const { clients = CLIENTS, connections = 'both', limitSeconds = LIMIT_SECONDS } = options;
  const kept = makeProbeClient(question, { connections: 'kept', limitSeconds });
  const fresh = makeProbeClient(question, { connections: 'fresh', limitSeconds });
  const isFresh = (client: number) => connections === 'fresh' || (connections === 'both' && client % 2 === 1);
  const asking = sendLoad((client) => (isFresh(client) ? fresh : kept).ask(), clients, {
    pauseMilliseconds: PAUSE_MILLISECONDS,
    ...options,
  });
  const stop = async () => {
    asking.stop();
    const asked = await asking.done;
    kept.close();
    return asked;
  };
  return { round: asking.round, stop };
}

export interface ProbeResult<T> {
  readonly result: T;
  readonly asked: LoadReport;
}

/**
 * Runs an operation while clients send requests. All have an answer before it begins, and one to a request sent after
 * its end.
 */
export async function probeDuring<T>(
  question: ProbeRequest,
  operation: () => Promise<T>,
  options: ProbeOptions = {},
): Promise<ProbeResult<T>> {
  const prober = startProber(question, options);
  try {
    await prober.round();
    const result = await operation();
    await prober.round();
    return { result, asked: await prober.stop() };
  } finally {
    await prober.stop();
  }
}

/** Fails with the results unless every request was answered with 200 and at least `atLeast` were sent. */
export function expectNoFailure(asked: LoadReport, { atLeast = 1 }: { readonly atLeast?: number } = {}): void {
  expect(asked.failed, renderFailures(asked)).toBe(0);
  expect(asked.sent, renderLoadReport(asked)).toBeGreaterThanOrEqual(atLeast);
}

/** Fails unless the first entity answered before the second, and the second answered last. */
export function expectSwitch(asked: LoadReport, from: string, to: string): void {
  const said = renderServed(asked);
  expect([...asked.served.keys()].sort(), said).toEqual([from, to].sort());
  expect(asked.served.get(from)!.first, said).toBeLessThan(asked.served.get(to)!.first);
  expect(asked.served.get(to)!.last, said).toBeGreaterThan(asked.served.get(from)!.last);
}

function renderServed({ served }: LoadReport): string {
  return [...served]
    .map(([name, { first, last, count }]) => `${name}: ${count} from ${first} to ${last} ms`)
    .join('\n');
}
