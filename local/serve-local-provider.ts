// The door of the provider `davit` for Davit, which runs it in its own process: the engine connects to it instead of starting
// Node again.
import { type ServeLocalProvider, serveProviderToEngine } from '../pulumi-provider/provider-server.ts';
import { makeLocalProvider } from './local-provider.ts';

export const serveLocalProvider: ServeLocalProvider = ({ variables }) =>
  serveProviderToEngine(() => makeLocalProvider(variables));
