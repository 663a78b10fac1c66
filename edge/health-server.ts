import { createServer, type Server } from 'node:http';
import { POLICIES_PATH } from '../kubernetes/check-policies.ts';

export interface HealthSources {
  /** Whether the service accepts requests. */
  readonly ready: () => boolean;
  /** Whether the cluster's network enforces network policies. */
  readonly policies: () => Promise<boolean | undefined>;
  /** Metrics in Prometheus' text format. */
  readonly metrics: () => string;
}

type HealthAnswer = readonly [status: number, body: string];

/** Makes the server for the kubelet and for Prometheus; it does not listen yet. */
export function makeHealthServer({ ready, metrics, policies }: HealthSources): Server {
  const answers = new Map<string | undefined, () => HealthAnswer | Promise<HealthAnswer>>([
    ['/live', () => [200, 'live\n']],
    ['/ready', () => (ready() ? [200, 'ready\n'] : [503, 'not ready\n'])],
    ['/metrics', () => [200, metrics()]],
    [POLICIES_PATH, async () => [200, JSON.stringify({ enforced: (await policies()) ?? null })]],
  ]);
  return createServer((request, response) => {
    const answer = answers.get(request.url)?.() ?? ([404, 'not found\n'] as const);
    void Promise.resolve(answer).then(([status, body]) => {
      response.writeHead(status, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(body);
    });
  });
}
