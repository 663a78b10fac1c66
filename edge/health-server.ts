import { createServer, type Server } from 'node:http';

export interface HealthSources {
  /** Whether the service accepts requests. */
  readonly ready: () => boolean;
  /** Metrics in Prometheus' text format. */
  readonly metrics: () => string;
}

/** Makes the server for the kubelet and for Prometheus; it does not listen yet. */
export function makeHealthServer({ ready, metrics }: HealthSources): Server {
  const answers = new Map<string | undefined, () => readonly [number, string]>([
    ['/live', () => [200, 'live\n']],
    ['/ready', () => (ready() ? [200, 'ready\n'] : [503, 'not ready\n'])],
    ['/metrics', () => [200, metrics()]],
  ]);
  return createServer((request, response) => {
    const [status, body] = answers.get(request.url)?.() ?? [404, 'not found\n'];
    response.writeHead(status, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(body);
  });
}
