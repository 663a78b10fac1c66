import * as grpc from '@grpc/grpc-js';
import engineGrpc from '@pulumi/pulumi/proto/engine_grpc_pb.js';
import enginePb from '@pulumi/pulumi/proto/engine_pb.js';
import type { Log } from './provider.ts';

/**
 * Writes to the engine's log in order. The engine handles calls concurrently, so each line waits for the previous one.
 */
export class EngineLog {
  readonly #engine: engineGrpc.EngineClient | undefined;
  #last: Promise<void> = Promise.resolve();

  /** Without an address, the log discards all lines. */
  constructor(address: string | undefined) {
    if (address !== undefined) this.#engine = new engineGrpc.EngineClient(address, grpc.credentials.createInsecure());
  }

  /** Returns the log of one resource. */
  of(urn: string): Log {
    const { INFO, WARNING, ERROR } = enginePb.LogSeverity;
    const say = (severity: enginePb.LogSeverity, ephemeral: boolean) => (message: string) => {
      const request = new enginePb.LogRequest().setSeverity(severity).setEphemeral(ephemeral);
      this.#last = this.#last.then(() => this.#send(request.setUrn(urn).setMessage(message)));
    };
    return {
      progress: say(INFO, true),
      info: say(INFO, false),
      warning: say(WARNING, false),
      error: say(ERROR, false),
    };
  }

  /** Waits until the engine has received all lines so far. */
  flush(): Promise<void> {
    return this.#last;
  }

  /** Ignores errors, because a lost log line must not fail the operation. */
  #send(request: enginePb.LogRequest): Promise<void> {
    const engine = this.#engine;
    return new Promise((done) => (engine ? engine.log(request, () => done()) : done()));
  }
}
