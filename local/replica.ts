import type { IncomingHttpHeaders } from 'node:http';

/** One process tree that serves a revision. */
export interface Replica {
  readonly pid: number | undefined;
  /** Resolves when it takes requests; rejects with a ServerFailed. */
  readonly ready: Promise<void>;
  /** Resolves with how its process ended, once it has. */
  readonly ended: Promise<string>;
  /** Sends one prediction. Throws NotStarted when no worker can have begun it, a Refused for everything else. */
  send(query: Query): Promise<Answer>;
  /** Ends it: SIGTERM, then SIGKILL after some seconds. Resolves when it has ended; also before it was started. */
  stop(): Promise<void>;
}

export interface Query {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}
