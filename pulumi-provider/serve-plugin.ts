import * as grpc from '@grpc/grpc-js';

/** The engine's own limit. It sends all properties of a program in one message. */
const MAX_MESSAGE_BYTES = 400 * 1024 * 1024;

/** Handles one request of the engine. An exception becomes the error of the call. */
export type UnaryHandler<Request, Response> = (request: Request) => Response | Promise<Response>;

/** Serves a gRPC service on a free loopback port, and prints the port for the engine to read. */
export function servePlugin(service: grpc.ServiceDefinition, calls: grpc.UntypedServiceImplementation): void {
  makePluginServer(service, calls).bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (e, port) => {
    if (e) throw e;
    process.stdout.write(`${port}\n`);
  });
}

/** Makes a gRPC server for the engine, which is bound to no address yet. */
export function makePluginServer(
  service: grpc.ServiceDefinition,
  calls: grpc.UntypedServiceImplementation,
): grpc.Server {
  const server = new grpc.Server({
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
    'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
  });
  server.addService(service, calls);
  return server;
}

/** Calls `stop` once, when the engine sends a signal to this plugin or ends (its pipe closes). */
export function onEngineEnd(stop: () => void): void {
  const once = { done: false };
  const end = () => {
    if (!once.done) stop();
    once.done = true;
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end);
  process.stdin.on('end', end).on('error', end).resume();
}

/** The engine's address, which the engine passes to its plugins as an argument. */
export function readEngineAddress(): string | undefined {
  return process.argv.slice(2).findLast((argument) => /:\d+$/.test(argument));
}

/** Wraps an async function as the handler of a unary gRPC call. */
export function makeUnaryCall<Request, Response>(
  answer: UnaryHandler<Request, Response>,
): grpc.handleUnaryCall<Request, Response> {
  return (call, callback) => {
    void Promise.resolve()
      .then(() => answer(call.request))
      .then(
        (response) => callback(null, response),
        (e: unknown) => callback(toStatus(e)),
      );
  };
}

function toStatus(e: unknown): Partial<grpc.StatusObject> {
  const { code = grpc.status.UNKNOWN, metadata } = e as Partial<grpc.StatusObject>;
  const details = e instanceof Error ? e.message : String(e);
  return { code: typeof code === 'number' ? code : grpc.status.UNKNOWN, details, ...(metadata && { metadata }) };
}
