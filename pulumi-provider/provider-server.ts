import * as grpc from '@grpc/grpc-js';
import providerGrpc from '@pulumi/pulumi/proto/provider_grpc_pb.js';
import { EngineLog } from './engine-log.ts';
import { Operations } from './operations.ts';
import { makeProviderCalls } from './provider-calls.ts';
import type { Provider } from './provider.ts';
import { makePluginServer } from './serve-plugin.ts';

/**
 * Serves Davit's own provider to one engine from this process. `local/` has it, and `engine/` loads it where it is used, so
 * that the action's bundle contains no part of Pulumi's SDK.
 */
export type ServeLocalProvider = (options: ProviderServerOptions) => Promise<ProviderServer>;

export interface ProviderServerOptions {
  /** The environment variables of the provider. This process's own are not read. */
  readonly variables: Readonly<Partial<Record<string, string>>>;
}

export interface ProviderServer {
  /** Where the engine connects, on 127.0.0.1. */
  readonly port: number;
  /** Stops running operations, at most for some seconds. Call it when the engine has ended. */
  readonly close: () => Promise<void>;
}

/** The first calls of an engine on a connection. */
const FIRST_CALLS: ReadonlySet<string> = new Set(['handshake', 'attach']);

const AMBIGUOUS =
  'Cannot continue on another connection: the engine has closed an idle one, and this project has two configurations. Run the command again';

/**
 * Serves a provider from this process, on a loopback port, because an engine connects to a running provider by its port only.
 * The engine opens a connection for each provider of a stack, and each has its own configuration: a project that was moved has
 * two until the resources of the former place are deleted.
 */
export async function serveProviderToEngine(makeProvider: () => Provider): Promise<ProviderServer> {
  const sessions = new Map<string, Session>();
  const findSession = (peer: string, isFirst: boolean): Session | undefined => {
    const known = sessions.get(peer);
    if (known) return known;
    // The engine closes a connection that was not used for half an hour, and continues on another one.
    const [continued, ...others] = isFirst ? [] : new Set(sessions.values());
    if (others.length > 0) return undefined; // nothing in the call says which configuration it is for
    const session = continued ?? makeSession(makeProvider());
    sessions.set(peer, session);
    return session;
  };
  const names = Object.keys(makeSession(makeProvider()).calls) as (keyof Session['calls'])[];
  const calls = names.map((name) => {
    const handle: AnyCall = (call, callback) => {
      const session = findSession(call.getPeer(), FIRST_CALLS.has(name));
      if (session) (session.calls[name] as AnyCall)(call, callback);
      else callback({ code: grpc.status.FAILED_PRECONDITION, details: AMBIGUOUS });
    };
    return [name, handle] as const;
  });
  const server = makePluginServer(providerGrpc.ResourceProviderService, Object.fromEntries(calls));
  return {
    port: await bind(server),
    close: async () => {
      const open = new Set(sessions.values());
      await Promise.all([...open].map(({ operations }) => operations.end('Cannot continue: the engine has ended')));
      for (const { engineLog } of open) engineLog.close();
      server.forceShutdown();
    },
  };
}

type Session = ReturnType<typeof makeSession>;
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- each call has its own types, which are only passed on here
type AnyCall = grpc.handleUnaryCall<any, any>;

function makeSession(provider: Provider) {
  const [operations, engineLog] = [new Operations(), new EngineLog(undefined)];
  return { operations, engineLog, calls: makeProviderCalls({ provider, operations, engineLog }) };
}

function bind(server: grpc.Server): Promise<number> {
  return new Promise((done, fail) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (e, port) => (e ? fail(e) : done(port)));
  });
}
