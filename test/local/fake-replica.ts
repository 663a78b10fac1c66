import type { QueryResponse, Query, Replica } from '../../local/revisions/replica.ts';
import { ServerFailed } from '../../local/revisions/model-server-errors.ts';

/** A replica that a test controls step by step. */
export class FakeReplica implements Replica {
  static #last = 0;
  readonly pid = ++FakeReplica.#last;
  readonly loading = undefined;
  readonly #ready = Promise.withResolvers<undefined>();
  readonly #ended = Promise.withResolvers<string>();
  readonly ready = this.#ready.promise;
  readonly ended = this.#ended.promise;
  /** The requests that the replica has not answered yet. */
  readonly asked: { readonly query: Query; readonly answer: (answer: QueryResponse | Error) => void }[] = [];
  stopped = false;
  reachable = true;
  longestWaitSeconds = 0;

  constructor() {
    this.ready.catch(() => undefined);
  }

  becomeReady(): void {
    this.#ready.resolve(undefined);
  }

  fail(stage = 'load', message = 'No module named x'): void {
    this.#ready.reject(new ServerFailed(stage, message));
  }

  die(how = 'it was ended by SIGKILL'): void {
    this.#ended.resolve(how);
  }

  send(query: Query): Promise<QueryResponse> {
    return new Promise((done, fail) => {
      this.asked.push({ query, answer: (a) => (a instanceof Error ? fail(a) : done(a)) });
    });
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.die('it was stopped');
    await this.ended;
  }
}

export const OK: QueryResponse = {
  status: 200,
  headers: { 'content-type': 'application/json' },
  body: Buffer.from('{}'),
};

/** Makes a launcher of fake replicas, and a list of the replicas that it has started. */
export function makeLauncher() {
  const replicas: FakeReplica[] = [];
  const launch = () => {
    const replica = new FakeReplica();
    replicas.push(replica);
    return replica;
  };
  return { replicas, launch };
}
