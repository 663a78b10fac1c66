import type { IncomingHttpHeaders } from 'node:http';
import type { ModelLoading } from '../../schemas/endpoint/worker-mode.ts';

/** One process tree that serves a revision. */
export interface Replica {
  readonly pid: number | undefined;
  /** Resolves when the replica accepts requests. Rejects with a ServerFailed. */
  readonly ready: Promise<void>;
  /** How the workers load the model. Undefined until the replica is ready. */
  readonly loading: ModelLoading | undefined;
  /** The longest time that a request of the replica waits before it is predicted. */
  readonly longestWaitSeconds: number;
  /** Resolves when the process has ended, with the reason. */
  readonly ended: Promise<string>;
  /** False: the socket was removed, so no new connection is possible. */
  readonly reachable: boolean;
  /** Sends one query. Throws NotStarted if no worker can have started it, and a Refused for every other failure. */
  send(query: Query): Promise<QueryResponse>;
  /** Stops the process with SIGTERM, later with SIGKILL. Resolves when it has ended. Works before the start too. */
  stop(): Promise<void>;
}

export interface Query {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface QueryResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}
