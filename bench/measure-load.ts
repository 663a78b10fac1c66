import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadReport } from '../app/send-load/load-report.ts';
import { sendLoad } from '../app/send-load/send-load.ts';
import { percentile, renderFailures } from '../app/send-load/render-load-report.ts';
import { type ProbeClient, makeProbeClient, type ProbeRequest } from '../test/prober/probe-client.ts';
import type { BenchContext, Figure } from './benchmark.ts';

/** The clients' results during one period, and the cost of the servers. */
export interface LoadMeasurement extends LoadReport {
  readonly seconds: number;
  /** CPU seconds that the servers used during the period. */
  readonly cpuSeconds: number;
}

export interface LoadOptions {
  readonly connections: number;
  /** Reads the CPU seconds that the servers have used so far. */
  readonly readCpu: () => number;
  /** The load continues until this promise resolves. Default: for the benchmark's seconds. */
  readonly meanwhile?: () => Promise<unknown>;
}

const DEFAULT_SECONDS = 3;

/** Sends one request again and again over several connections, one at a time on each. */
export async function measureLoad(
  probe: ProbeRequest,
  bench: BenchContext,
  options: LoadOptions,
): Promise<LoadMeasurement> {
  const { connections, readCpu, meanwhile = () => pause((bench.seconds ?? DEFAULT_SECONDS) * 1000, bench) } = options;
  const client = makeProbeClient(probe);
  try {
    await warmUp(client, connections);
    const [cpuBefore, started] = [readCpu(), performance.now()];
    const clients = sendLoad(client.send, connections);
    await meanwhile().finally(() => clients.stop());
    const report = await clients.done;
    const seconds = (performance.now() - started) / 1000;
    if (report.failed > 0) bench.fault(renderFailures(report));
    return { ...report, seconds, cpuSeconds: readCpu() - cpuBefore };
  } finally {
    client.close();
  }
}

/** Makes the figures of several periods of the same load. */
export function makeLoadFigures(what: string, side: string, loads: readonly LoadMeasurement[]): readonly Figure[] {
  const figure = (unit: string, pick: (load: LoadMeasurement) => number) => ({
    what,
    unit,
    side,
    values: loads.map(pick),
  });
  return [
    figure('requests/s', (l) => l.sent / l.seconds),
    figure('CPU ms a request', (l) => (l.cpuSeconds * 1000) / l.sent),
    figure('p50 ms', (l) => percentile(l, 0.5)),
    figure('p99 ms', (l) => percentile(l, 0.99)),
  ];
}

/** Opens the connections, and runs the code once so that it is compiled before the measurement. */
async function warmUp({ send }: ProbeClient, connections: number): Promise<void> {
  for (let round = 0; round < WARM_UP_ROUNDS; round++) await Promise.all(Array.from({ length: connections }, send));
}

const WARM_UP_ROUNDS = 20;

async function pause(milliseconds: number, { signal }: BenchContext): Promise<void> {
  await sleep(milliseconds, undefined, { signal });
}
