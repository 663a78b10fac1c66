import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer } from './target.ts';

/** What clients saw who kept asking. */
export interface Asked {
  readonly sent: number;
  /** No answer, or one that is not 200. */
  readonly failed: number;
  readonly firstFailure: string | undefined;
  /** Milliseconds from request to answer, sorted. */
  readonly latencies: readonly number[];
  /** How often each answer came, in the order of their first coming. */
  readonly answers: ReadonlyMap<string, number>;
}

export interface Clients {
  readonly stop: () => void;
  /** Resolves when the last request has been answered. */
  readonly done: Promise<Asked>;
}

/** Starts clients that ask one request after the other, with a pause between them, until they are told to stop. */
export function keepAsking(ask: () => Promise<Answer>, clients: number, pauseMilliseconds = 0): Clients {
  let going = true;
  const seen = { sent: 0, failed: 0, firstFailure: undefined as string | undefined };
  const latencies: number[] = [];
  const answers = new Map<string, number>();
  const one = async () => {
    const started = performance.now();
    seen.sent += 1;
    const failure = await ask().then(
      ({ status, body }) => {
        if (status !== 200) return `${status} ${body}`;
        answers.set(body, (answers.get(body) ?? 0) + 1);
        return undefined;
      },
      (e: unknown) => (e instanceof Error ? e.message : String(e)),
    );
    latencies.push(performance.now() - started);
    if (failure === undefined) return;
    seen.failed += 1;
    seen.firstFailure ??= failure;
  };
  const client = async () => {
    while (going) {
      await one();
      if (pauseMilliseconds > 0) await sleep(pauseMilliseconds);
    }
  };
  const done = Promise.all(Array.from({ length: clients }, client)).then(() => ({
    ...seen,
    latencies: latencies.toSorted((a, b) => a - b),
    answers,
  }));
  return { stop: () => void (going = false), done };
}

/** The figures for a person: sent, failed, p50, p99 and the longest. */
export function renderAsked({ sent, failed, latencies, answers }: Asked): string {
  const at = (share: number) =>
    (latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0).toFixed(1);
  const kinds = [...answers].map(([answer, count]) => `${count} × ${answer.trim()}`);
  return [
    `${sent} requests sent, ${failed} failed; p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms`,
    ...kinds,
  ].join('\n');
}
