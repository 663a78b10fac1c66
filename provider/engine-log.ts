import * as grpc from '@grpc/grpc-js';
import engineGrpc from '@pulumi/pulumi/proto/engine_grpc_pb.js';
import enginePb from '@pulumi/pulumi/proto/engine_pb.js';
import type { Log } from './provider.ts';

/** The engine's log, in order: it handles calls side by side, so each line waits for the one before. */
export class EngineLog {
  readonly #engine: engineGrpc.EngineClient | undefined;
  #last: Promise<void> = Promise.resolve();

  /** Without an address it says nothing. */
  constructor(address: string | undefined) {
    if (address !== undefined) this.#engine = new engineGrpc.EngineClient(address, grpc.credentials.createInsecure());
  }

  /** The log of one resource. */
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

  /** Waits until everything said so far has arrived. */
  flush(): Promise<void> {
    return this.#last;
  }

  /** An engine that does not listen any more is no reason to fail. */
  #send(request: enginePb.LogRequest): Promise<void> {
    const engine = this.#engine;
    return new Promise((done) => (engine ? engine.log(request, () => done()) : done()));
  }
}
