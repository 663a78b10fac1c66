import providerGrpc from '@pulumi/pulumi/proto/provider_grpc_pb.js';
import { EngineLog } from './engine-log.ts';
import { Operations } from './operations.ts';
import { makeProviderCalls } from './provider-calls.ts';
import type { Provider } from './provider.ts';
import { onEngineEnd, readEngineAddress, servePlugin } from './serve-plugin.ts';

/** Serves a provider to the Pulumi engine that started this process. */
export function serveProvider(provider: Provider): void {
  const operations = new Operations();
  onEngineEnd(() => void operations.endProcess('Cannot continue: the engine has ended'));
  const engineLog = new EngineLog(readEngineAddress());
  servePlugin(providerGrpc.ResourceProviderService, makeProviderCalls({ provider, operations, engineLog }));
}
